"""Steps 2 and 5 on media: fetched once, in the form that was asked for, kept or removed."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.audio.probing import probe
from engine.errors import DownloadsPaused, TonspurError
from engine.library.local import place_file
from engine.library.outcome import outcome
from engine.library.shelf import Entry, Library, written_at
from engine.library.sidecar import StepRecord
from engine.settings import Settings
from engine.steps import marks, media
from engine.steps.download import download
from engine.steps.write import write
from engine.transcript import Transcript
from engine.video import Video
from engine.youtube import pause
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo

ID = "sound000000"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    talk = SandboxVideo(id=ID, title="Tea", talk="tea", published=WHEN)
    channel = SandboxChannel(id="UC" + "m" * 22, handle="@tea", title="Tea", videos=(talk,))
    spec = SandboxSpec(channels=(channel,))
    with Sandbox(tmp_path_factory.mktemp("tea"), spec=spec) as running:
        yield running


class Shop:
    """One video in a library, and the steps on it; `set` changes a setting for the next ones."""

    def __init__(self, sandbox: Sandbox, settings: Settings) -> None:
        self.sandbox, self.settings = sandbox, settings
        self.library = Library(settings)
        self.entry: Entry = self.library.place(Video(video_id=ID, published_at=WHEN, title="Tea"))

    def set(self, **values: object) -> None:
        self.settings = self.settings.model_copy(update=values)

    def fetch(self) -> int:
        """Step 2; the looks at the watch page that it took."""
        before = self.looks
        download(self.library, self.entry, self.settings)
        return self.looks - before

    @property
    def looks(self) -> int:
        return self.sandbox.counts().requests.get("GET /watch/*", 0)

    @property
    def record(self) -> StepRecord:
        return self.library.read(self.entry).steps["download"]

    @property
    def files(self) -> list[str]:
        """Suffixes of all that lies in the folder, without what Tonspur writes beside media."""
        ours = {".json", ".txt", ".srt", ".vtt"}
        names = [file for file in self.entry.folder.iterdir() if file.suffix not in ours]
        return sorted(file.suffix for file in names)

    @property
    def is_transcribed(self) -> bool:
        sidecar = self.library.read(self.entry)
        return marks.transcript_is_done(self.entry, sidecar, self.settings)

    def transcribe(self) -> None:
        """Steps 4 and 5 as if an engine had heard it."""
        text = Transcript(language="en", duration_s=9, model="m", preset="p", segments=())
        self.entry.transcript.write_text(text.model_dump_json(), encoding="utf-8")
        mark = marks.of_transcript(self.library.read(self.entry), self.settings)
        self.library.record(self.entry, "transcript", written_at("done", fingerprint=mark))
        self.finish()

    def finish(self) -> None:
        """Step 5 of a run."""
        write(self.library, self.entry)
        media.discard(self.library, self.entry, self.settings)


@pytest.fixture
def shop(sandbox: Sandbox, settings: Settings) -> Shop:
    told = {name.lower(): value for name, value in sandbox.environment().items()}
    places = {"state_dir": settings.state_dir, "library_dir": settings.library_dir}
    return Shop(sandbox, Settings(_env_file=None, **{**told, **places}))


def test_media_that_were_fetched_before_there_were_forms_still_count(shop: Shop) -> None:
    shop.fetch()
    plain = marks.fingerprint("download", ID)
    assert shop.record.fingerprint == plain == marks.of_download(ID)
    assert shop.fetch() == 0
    assert shop.record.detail("heard") is None, "nothing is written that is not needed"


def test_a_form_that_is_asked_for_later_keeps_the_transcript(shop: Shop) -> None:
    shop.fetch()
    shop.transcribe()
    sha256 = shop.record.sha256
    shop.set(yt_media_format="mp3")
    assert shop.fetch() == 0, "the sound is there already"
    assert shop.files == [".mp3"]
    assert shop.is_transcribed
    assert shop.record.sha256 != sha256
    assert marks.heard(shop.library.read(shop.entry)) == sha256
    shop.set(yt_media_format="mp4")
    assert shop.fetch() == 1
    assert shop.files == [".mp3", ".mp4"], "both were asked for"
    assert shop.is_transcribed
    assert shop.fetch() == 0


def test_where_no_form_is_asked_for_any_will_do(shop: Shop) -> None:
    shop.set(yt_media_format="mp3")
    assert shop.fetch() == 1
    shop.set(yt_media_format="best")
    assert shop.fetch() == 0
    assert probe(marks.media(shop.entry, shop.library.read(shop.entry))).codec.startswith("mp3")


def test_a_transcript_that_is_done_needs_no_media(shop: Shop) -> None:
    shop.fetch()
    shop.transcribe()
    marks.media(shop.entry, shop.library.read(shop.entry)).unlink()
    assert shop.fetch() == 0
    shop.set(whisper_model="tiny")
    assert shop.fetch() == 1, "another model has to hear it"
    assert shop.files == [".m4a"]


def test_a_form_that_is_gone_is_fetched_again_without_a_new_transcript(shop: Shop) -> None:
    shop.set(yt_media_format="mp3")
    shop.fetch()
    shop.transcribe()
    heard = shop.record.sha256
    marks.media(shop.entry, shop.library.read(shop.entry)).unlink()
    assert shop.fetch() == 1
    assert shop.is_transcribed
    assert marks.heard(shop.library.read(shop.entry)) == heard


def test_a_form_that_cannot_be_had_costs_no_transcript_and_is_forgiven(shop: Shop) -> None:
    shop.fetch()
    shop.transcribe()
    shop.set(yt_media_format="mp4")
    now = datetime.now(UTC)
    pause.set_until(shop.settings, now + timedelta(hours=1), now, "a bot wall")
    with pytest.raises(DownloadsPaused):
        shop.fetch()
    assert shop.is_transcribed
    assert outcome(shop.entry, shop.library.read(shop.entry)).status == "deferred"
    shop.set(yt_media_format="best")
    shop.fetch()
    assert outcome(shop.entry, shop.library.read(shop.entry)).status == "done"
    assert shop.is_transcribed
    pause.lift(shop.settings)


def test_media_that_are_not_kept_go_when_the_transcript_is_written(shop: Shop) -> None:
    shop.set(keep_media=False, yt_media_format="mp4")
    shop.fetch()
    media.discard(shop.library, shop.entry, shop.settings)
    assert shop.files == [".m4a"], "no transcript, and no form: the media do not stay"
    shop.transcribe()
    assert shop.files == []
    removed = datetime.fromisoformat(shop.record.detail("media_removed"))
    assert removed.tzinfo is not None
    assert shop.record.status == "done"
    assert shop.fetch() == 0, "a retry fetches nothing"
    shop.finish()
    assert datetime.fromisoformat(shop.record.detail("media_removed")) == removed
    shop.set(whisper_model="tiny")
    assert shop.fetch() == 1
    assert shop.record.detail("media_removed") is None
    shop.transcribe()
    assert shop.files == []


def test_a_removal_that_was_killed_in_the_middle_is_made_up_for(shop: Shop) -> None:
    shop.fetch()
    shop.transcribe()
    marks.media(shop.entry, shop.library.read(shop.entry)).unlink()
    shop.set(keep_media=False)
    shop.finish()
    assert shop.record.detail("media_removed")


def test_a_form_that_was_asked_for_stays_when_others_do_not(shop: Shop) -> None:
    shop.set(yt_media_format="mp3")
    shop.fetch()
    shop.set(keep_media=False, yt_media_format="best")
    shop.transcribe()
    assert shop.files == [".mp3"]


def test_a_file_that_is_not_what_was_downloaded_stays(shop: Shop) -> None:
    shop.fetch()
    file = marks.media(shop.entry, shop.library.read(shop.entry))
    file.write_bytes(b"mine")
    shop.set(keep_media=False)
    shop.transcribe()
    assert file.read_bytes() == b"mine"
    assert shop.record.detail("media_removed") is None


def test_local_media_are_never_removed(sandbox: Sandbox, shop: Shop, tmp_path: Path) -> None:
    own = tmp_path / "mine" / "talk.wav"
    own.parent.mkdir()
    own.write_bytes(base64.b64decode("UklGRg=="))
    shop.entry = place_file(shop.library, own)
    shop.set(keep_media=False)
    shop.transcribe()
    assert own.is_file()
    assert media.fetched_media(shop.entry, shop.library.read(shop.entry)) is None


@pytest.mark.parametrize("name", ["../other/x.m4a", "/etc/hostname", "..", ""])
def test_a_record_that_names_another_place_is_not_believed(shop: Shop, name: str) -> None:
    shop.fetch()
    told = shop.record.model_dump() | {"media": name}
    shop.library.record(shop.entry, "download", StepRecord.model_validate(told))
    assert media.fetched_media(shop.entry, shop.library.read(shop.entry)) is None


def test_a_failed_first_fetch_says_so(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.fault(route="/watch/*", method="GET", status=404, times=None)
    try:
        with pytest.raises(TonspurError):
            shop.fetch()
    finally:
        sandbox.drop_faults()
    assert shop.record.status == "failed"
    assert marks.heard(shop.library.read(shop.entry)) is None
    assert shop.fetch() == 1
