"""What goes in time, and what stays."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.library import locks
from engine.library.local import place_file
from engine.library.shelf import Entry, Library, written_at
from engine.settings import Settings
from engine.steps import marks
from engine.steps.retention import expire_media, spaces, sweep
from engine.steps.write import write
from engine.transcript import Transcript
from engine.video import Video

NOW = datetime.now(UTC)
IN_TEN_DAYS = NOW + timedelta(days=10)


def transcribed(library: Library, video_id: str = "aaaaaaaaaa1") -> tuple[Entry, Path]:
    """A video whose media and transcript are there."""
    video = Video(video_id=video_id, published_at=NOW, title="A talk", channel_title="Talks")
    entry = library.place(video)
    media = entry.file(".m4a")
    media.write_bytes(b"sound")
    mark = marks.of_download(video_id)
    details = {"fingerprint": mark, "media": media.name, "bytes": 5}
    library.record(entry, "download", written_at("done", **details))
    heard = Transcript(language="en", duration_s=9, model="m", preset="p", segments=())
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    library.record(entry, "transcript", written_at("done"))
    write(library, entry)
    return entry, media


@pytest.fixture
def keeping(settings: Settings) -> Settings:
    return settings.model_copy(update={"media_kept_days": 7})


def test_media_go_a_time_after_their_transcript_was_written(
    library: Library, keeping: Settings
) -> None:
    entry, media = transcribed(library)
    assert expire_media(library, keeping, NOW + timedelta(days=6)) == []
    assert expire_media(library, keeping, IN_TEN_DAYS) == [media]
    assert not media.exists()
    assert entry.text.is_file()
    assert library.read(entry).steps["download"].detail("media_removed")
    assert expire_media(library, keeping, IN_TEN_DAYS) == []


def test_without_the_setting_media_stay(library: Library, settings: Settings) -> None:
    _, media = transcribed(library)
    assert expire_media(library, settings, IN_TEN_DAYS) == []
    assert media.exists()


def test_media_without_a_transcript_or_of_a_run_that_works_stay(
    library: Library, keeping: Settings
) -> None:
    entry, media = transcribed(library)
    with library.way(entry.video_id, entry.folder):
        assert expire_media(library, keeping, IN_TEN_DAYS) == []
    entry.text.unlink()
    assert expire_media(library, keeping, IN_TEN_DAYS) == []
    assert media.exists()


def test_a_local_recording_is_never_removed(library: Library, keeping: Settings) -> None:
    own = library.root / "Local files" / "mine.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"my own sound")
    entry = place_file(library, own)
    heard = Transcript(language="en", duration_s=9, model="m", preset="p", segments=())
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    library.record(entry, "transcript", written_at("done"))
    write(library, entry)
    assert expire_media(library, keeping, IN_TEN_DAYS) == []
    assert own.exists()


def aged(path: Path, days: float) -> Path:
    at = time.time() - days * 86_400
    os.utime(path, (at, at))
    return path


def test_what_the_dead_left_goes_after_a_week(library: Library, settings: Settings) -> None:
    entry, _ = transcribed(library)
    old = entry.folder / ".~abcdefgh.part"
    young = entry.folder / ".~zzzzzzzz.part"
    prepared = settings.prepared_dir / "abandoned"
    prepared.mkdir(parents=True)
    (prepared / "audio.wav").write_bytes(b"x")
    for file in (old, young):
        file.write_bytes(b"half")
    aged(old, 8)
    aged(young, 1)
    aged(prepared, 8)
    assert set(sweep(settings, NOW)) == {old, prepared}
    assert young.exists()
    assert not prepared.exists()
    assert entry.sidecar.is_file()


def test_only_locks_that_nobody_holds_or_used_for_a_month_go(settings: Settings) -> None:
    with locks.held(settings.locks_dir, "way", "held"), locks.held(settings.locks_dir, "way", "x"):
        pass
    with locks.held(settings.locks_dir, "way", "held"):
        for file in settings.locks_dir.iterdir():
            aged(file, 40)
        sweep(settings, NOW)
        assert len(list(settings.locks_dir.glob("*.lock"))) == 1
    with locks.held(settings.locks_dir, "way", "new"):
        pass
    sweep(settings, NOW)
    assert list(settings.locks_dir.glob("*.lock"))


def test_little_space_is_noticed(settings: Settings) -> None:
    assert not [
        one for one in spaces(settings.model_copy(update={"disk_least_gb": 0})) if one.is_little
    ]
    greedy = settings.model_copy(update={"disk_least_gb": 1e9})
    assert all(one.is_little for one in spaces(greedy))
