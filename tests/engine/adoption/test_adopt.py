"""An old library of two hundred files is taken over once, and heard by nobody."""

import json
import random
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.adoption.taking import AdoptRow, adopt
from engine.errors import BadAddress
from engine.library.local import file_id
from engine.library.shelf import LOCAL_FOLDER, Library, written_at
from engine.settings import Settings
from engine.steps.audio import audio
from engine.steps.download import download
from engine.steps.local_way import walk
from engine.steps.metadata import metadata
from engine.steps.transcript import transcript
from engine.steps.write import write
from engine.transcript import Transcript
from engine.video import Video
from sandbox.voice import speak
from tests.engine.adoption.test_texts import old_lines

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SAID = [(0.0, 2.7, "Good morning."), (2.7, 5.2, "The harbour is quiet."), (5.9, 9.4, "Bye.")]


class Nobody:
    """An engine that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the engine was asked to {name}")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sound") / "talk.mp3"
    speak("Good morning. The harbour is quiet. Bye.", "en", file)
    return file


def video_id(chance: random.Random) -> str:
    """An id with a capital and a digit, `-` and `_` anywhere."""
    while True:
        found = "".join(chance.choices(LETTERS, k=11))
        if any(c.isupper() for c in found[1:]) and any(c.isdigit() for c in found):
            return found


def media(sound: Path, target: Path, number: int) -> None:
    """The same sound with other bytes: a tag at its end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(sound.read_bytes() + f"TAG{number:0125}".encode())


def text_of(layout: str, described: dict[str, Any]) -> str:
    lines = old_lines(SAID)
    if layout == "below":
        return "\n\n".join(f"[00:{int(s):02} - 00:{int(e):02}]\n{t}" for s, e, t in SAID)
    if layout == "plain":
        return " ".join(text for _, _, text in SAID)
    if layout == "json":
        return json.dumps({**described, "content": lines}, ensure_ascii=False)
    return lines


def old_library(folder: Path, sound: Path, files: int = 200) -> dict[str, str]:
    """At least so many files as the predecessor left them; what each video is called."""
    chance, titles, made, number = random.Random(7), {}, 0, 0
    layouts = ("lines", "below", "plain", "json")
    while made < files:
        number += 1
        layout, own = layouts[number % 4], video_id(chance)
        title = f"Talk {number}: Grüße & “more”"
        day = f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
        stem = f"{day}_Talk_{number}__Grüße_&_“more”_{own}"
        channel = f"UC{'abc'[number % 3] * 22}"
        place = folder / f"Channel {channel[2]}"
        described = {
            "videoId": own, "publishedAt": f"{day}T08:00:00Z", "channelId": channel,
            "title": title.replace("&", "&amp;"), "description": "About it.", "thumbnail": None,
        }  # fmt: skip
        media(sound, place / f"{stem}.mp3", number)
        text = text_of(layout, {**described, "Title": title})
        # every fifth transcript lies in the folder in which the old program was started
        home = folder if number % 5 == 0 else place
        bytes_ = text.encode("cp1252" if number % 7 == 0 and layout != "json" else "utf-8")
        (home / f"{stem}.txt").write_bytes(bytes_)
        made += 2
        if number // 3 % 3:
            (place / f"{stem}.json").write_text(json.dumps(described), encoding="utf-8")
            made += 1
        titles[own] = (
            title if number // 3 % 3 or layout == "json" else f"Talk {number} Grüße & “more”"
        )
    for local in range(5):
        media(sound, folder / "own" / f"Interview {local}.mp3", 1000 + local)
        (folder / "own" / f"Interview {local}.txt").write_text(old_lines(SAID), encoding="utf-8")
    return titles


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def taken(folder: Path, settings: Settings, yes: bool = True) -> list[AdoptRow]:
    return list(adopt(folder, settings, yes=yes))


def test_two_hundred_old_files_are_adopted_and_nothing_is_heard_again(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    old = tmp_path / "old"
    titles = old_library(old, sound)
    before = snapshot(old)
    assert len(before) >= 200

    preview = taken(old, settings, yes=False)
    assert {row.status for row in preview} == {"planned"}
    assert not library.root.exists()
    rows = taken(old, settings)
    assert [(r.path, r.video_id) for r in rows] == [(r.path, r.video_id) for r in preview]
    assert {row.status for row in rows} == {"done"}, rows
    assert len(rows) == len(titles) + 5
    assert snapshot(old) == before, "the old folder is not touched"

    for own, title in titles.items():
        entry = library.find(own)
        assert entry is not None
        sidecar = library.read(entry)
        assert sidecar.video.title == title
        heard = Transcript.model_validate_json(entry.transcript.read_bytes())
        said = " ".join(segment.text for segment in heard.segments)
        assert said == "Good morning. The harbour is quiet. Bye."
        assert heard.segments[0].start == 0 and heard.segments[-1].end <= heard.duration_s
        nobody: Any = Nobody()
        assert metadata(library, own, settings) == entry
        download(library, entry, settings)  # YouTube cannot be reached from here
        audio(library, entry, settings, nobody)
        transcript(library, entry, settings, nobody)
        write(library, entry)
        assert library.read(entry) == sidecar, "every step was done already"
        assert "upload" not in sidecar.steps
    folders = Counter(entry.folder.name for entry in library.entries())
    assert set(folders) == {"Channel a", "Channel b", "Channel c", "Unknown channel", LOCAL_FOLDER}
    assert folders[LOCAL_FOLDER] == 5
    for entry in library.entries_of(library.root / LOCAL_FOLDER):
        outcome = walk(entry.file(".mp3"), settings, Nobody(), uploading=False)  # type: ignore[arg-type]
        assert (outcome.status, outcome.reason) == ("skipped", "already done")

    whole = snapshot(library.root)
    again = taken(old, settings)
    assert {(row.status, row.reason) for row in again} == {("skipped", "already in the library")}
    assert snapshot(library.root) == whole


def test_an_interrupted_adoption_goes_on(
    tmp_path: Path, sound: Path, settings: Settings, library: Library,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    old = tmp_path / "old"
    old_library(old, sound, files=12)
    wanted = len(taken(old, settings, yes=False))

    class Killed(BaseException):
        pass

    from engine.library import atomic

    real, left = atomic.write_text, iter(range(10_000))
    for death in (1, 4, 9, 15, 30):
        left = iter(range(death))

        def dies(target: Path, text: str, left: Any = left) -> None:
            if next(left, None) is None:
                raise Killed
            real(target, text)

        monkeypatch.setattr(atomic, "write_text", dies)
        with pytest.raises(Killed):
            taken(old, settings)
    monkeypatch.setattr(atomic, "write_text", real)
    rows = taken(old, settings)
    assert {row.status for row in rows} <= {"done", "skipped"}
    entries = list(library.entries())
    assert len(entries) == wanted
    for entry in entries:
        assert library.read(entry).attempts == 1
        assert all(entry.file(end).is_file() for end in (".txt", ".srt", ".vtt", ".mp3"))
        assert not list(entry.folder.glob(".~*"))


def test_a_word_at_the_end_of_a_name_is_no_video(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    media(sound, tmp_path / "old" / "2024-05-06_My_description.mp3", 1)
    (tmp_path / "old" / "2024-05-06_My_description.txt").write_text(old_lines(SAID), "utf-8")
    [row] = taken(tmp_path / "old", settings)
    assert row.video_id == file_id(tmp_path / "old" / "2024-05-06_My_description.mp3")[0]
    assert "`description` was taken for a word" in str(row.reason)
    [entry] = library.entries()
    assert library.read(entry).video.title == "My description"
    assert entry.stem.startswith("2024-05-06_")


def test_simple_modes_sidecar_tells_nothing_and_is_not_believed(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    stem = "2025-01-02_video_dQw4w9WgXcQ_dQw4w9WgXcQ"
    media(sound, tmp_path / "old" / f"{stem}.mp3", 1)
    empty = {
        "videoId": None, "publishedAt": "2025-01-02T10:11:12Z", "channelId": None,
        "title": "video_dQw4w9WgXcQ", "description": "", "thumbnail": None,
    }  # fmt: skip
    (tmp_path / "old" / f"{stem}.json").write_text(json.dumps(empty), "utf-8")
    (tmp_path / "old" / f"{stem}.txt").write_text(old_lines(SAID), "utf-8")
    [row] = taken(tmp_path / "old", settings)
    assert (row.video_id, row.status) == ("dQw4w9WgXcQ", "done")
    [entry] = library.entries()
    video = library.read(entry).video
    assert video.address == "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert video.title == "video dQw4w9WgXcQ" or video.title == "video"


def test_what_cannot_be_taken_is_told_and_the_rest_goes_on(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    old = tmp_path / "old"
    media(sound, old / "good.mp3", 1)
    (old / "good.txt").write_text(old_lines(SAID), "utf-8")
    (old / "broken.mp3").write_bytes(b"no sound")
    (old / "requirements.txt").write_text("streamlit==1.40.2\n", "utf-8")
    (old / "alone.txt").write_text(old_lines(SAID), "utf-8")
    (old / "untold.mp3").write_bytes(sound.read_bytes())
    (old / "good.mp3.bak").write_bytes(b"old")
    rows = {row.path.name: row for row in taken(old, settings)}
    assert {name: row.status for name, row in rows.items()} == {
        "good.txt": "done", "alone.txt": "done", "broken.mp3": "failed",
        "requirements.txt": "skipped", "untold.mp3": "skipped",
    }  # fmt: skip
    assert "tonspur file" in str(rows["untold.mp3"].reason)
    assert len(list(library.entries())) == 2


def test_media_without_a_transcript_are_not_fetched_again(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    stem = "2024-05-06_Talk_dQw4w9WgXcQ"
    media(sound, tmp_path / "old" / f"{stem}.mp3", 1)
    [row] = taken(tmp_path / "old", settings)
    assert "no text" in str(row.reason)
    entry = library.find("dQw4w9WgXcQ")
    assert entry is not None
    download(library, entry, settings)  # YouTube cannot be reached from here
    assert "transcript" not in library.read(entry).steps
    [again] = taken(tmp_path / "old", settings)
    assert again.status == "skipped"


def test_a_transcript_of_the_library_is_never_replaced(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    stem = "2024-05-06_Talk_dQw4w9WgXcQ"
    media(sound, tmp_path / "old" / f"{stem}.mp3", 1)
    (tmp_path / "old" / f"{stem}.txt").write_text(old_lines(SAID), "utf-8")
    taken(tmp_path / "old", settings)
    before = snapshot(library.root)
    (tmp_path / "old" / f"{stem}.txt").write_text(old_lines([(0, 9, "Other.")]), "utf-8")
    assert [row.status for row in taken(tmp_path / "old", settings)] == ["skipped"]
    assert snapshot(library.root) == before


def test_what_the_engine_heard_is_left_alone_also_before_its_run_has_ended(
    tmp_path: Path, sound: Path, settings: Settings, library: Library
) -> None:
    stem = "2024-05-06_Talk_dQw4w9WgXcQ"
    media(sound, tmp_path / "old" / f"{stem}.mp3", 1)
    (tmp_path / "old" / f"{stem}.txt").write_text(old_lines(SAID), "utf-8")
    video = Video(video_id="dQw4w9WgXcQ", title="Talk", published_at=datetime(2024, 5, 6))
    entry = library.place(video)
    library.record(entry, "transcript", written_at("done", fingerprint="ours"))
    entry.transcript.write_text("{}", "utf-8")
    before = snapshot(library.root)
    [row] = taken(tmp_path / "old", settings)
    assert (row.status, row.reason) == ("skipped", "already in the library")
    assert snapshot(library.root) == before


def test_an_old_library_may_lie_where_the_new_one_is(
    sound: Path, settings: Settings, library: Library
) -> None:
    stem = "2024-05-06_Talk_dQw4w9WgXcQ"
    media(sound, library.root / f"{stem}.mp3", 1)
    (library.root / f"{stem}.txt").write_text(old_lines(SAID), "utf-8")
    assert [row.status for row in taken(library.root, settings)] == ["done"]
    assert {row.status for row in taken(library.root, settings)} == {"skipped"}
    shutil.rmtree(library.root / "Unknown channel")
    assert [row.status for row in taken(library.root.parent, settings)] == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadAddress, match="no folder"):
        taken(tmp_path / "nowhere", settings)
