import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from yt_dlp.utils import DownloadError, ThrottledDownload

from engine.errors import (
    DiskFull,
    DownloadsPaused,
    ExtractorTrouble,
    IncompleteDownload,
    MediaRefused,
    NetworkTrouble,
    RateLimited,
)
from engine.settings import Settings
from engine.youtube import downloads, finishing, pause, slots
from engine.youtube.downloads import Download

ID = "dQw4w9WgXcQ"
ROOT = Path(__file__).resolve().parents[3]


class Tube:
    """Watch pages that yt-dlp reads, and media with ranges."""

    def __init__(self, google: Any, reply: Any, media: bytes) -> None:
        self.google, self.reply, self.media = google, reply, media
        self.duration = "PT10S"
        self.page: Any = None
        self.suffix = "m4a"
        self.media_faults: list[Any] = []
        self.bytes_per_s: float | None = None
        google.answer = self.answer

    def answer(self, request: Any) -> Any:
        if request.path == "/watch":
            return self.page(request) if callable(self.page) else self.page or self.watch()
        fault = self.media_faults.pop(0) if self.media_faults else None
        return fault or self.ranged(request)

    def watch(self, **more: Any) -> Any:
        data = {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            "name": "Über den Tee",
            "description": "All of it",
            "uploadDate": "2024-05-06T10:00:00Z",
            "duration": self.duration,
            "contentUrl": f"{self.google.root}media/sound.{self.suffix}",
            "thumbnailUrl": "http://127.0.0.1:1/t.jpg",
        }
        script = json.dumps(data | more)
        page = f'<html><script type="application/ld+json">{script}</script></html>'
        return self.reply(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def ranged(self, request: Any) -> Any:
        headers = {"Content-Type": "audio/mp4", "Accept-Ranges": "bytes"}
        span = request.headers.get("range")
        if not span:
            return self.reply(200, self.media, headers)
        first, last = span.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last or len(self.media)), len(self.media) - 1)
        if start >= len(self.media):
            return self.reply(416, b"")
        headers["Content-Range"] = f"bytes {start}-{end}/{len(self.media)}"
        whole = self.media[start : end + 1]
        return self.reply(206, whole, headers, bytes_per_s=self.bytes_per_s)

    @property
    def ranges(self) -> list[str | None]:
        return [
            r.headers.get("range") for r in self.google.requests if r.path.startswith("/media/")
        ]


@pytest.fixture
def tube(google: Any, a_reply: Any, a_tone: Any, tmp_path: Path) -> Tube:
    return Tube(google, a_reply, a_tone(tmp_path / "tone.m4a", 10).read_bytes())


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.library_dir / "100 % $HOME ~ %(id)s"


def fetch(settings: Settings, folder: Path, **more: Any) -> Download:
    chosen: dict[str, Any] = {"expected_s": 10.0, "progress": lambda done, total: None} | more
    return downloads.download(ID, folder, "2024-05-06_Tee_dQw4w9WgXcQ", settings, **chosen)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_metadata_need_no_key_and_keep_the_id(settings: Settings, tube: Tube) -> None:
    bare = settings.model_copy(update={"yt_api_keys": ()})
    video = downloads.metadata(ID, bare)
    assert video.video_id == ID
    assert video.title == "Über den Tee"
    assert video.published_at == datetime(2024, 5, 6, 10, tzinfo=UTC)
    assert video.duration_s == 10
    assert video.description == "All of it"


def test_a_download_is_whole_measured_and_alone(
    settings: Settings, tube: Tube, folder: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    done = fetch(settings, folder, progress=lambda *status: told.append(status))
    assert done.path == folder / "2024-05-06_Tee_dQw4w9WgXcQ.m4a"
    assert done.path.read_bytes() == tube.media
    assert done.sha256 == hashlib.sha256(tube.media).hexdigest()
    assert done.size_bytes == len(tube.media)
    assert done.duration_s == pytest.approx(10, abs=0.2)
    assert done.yt_dlp_version
    assert names(folder) == [done.path.name]
    assert told[-1] == (len(tube.media), len(tube.media))
    assert [arrived for arrived, _ in told] == sorted(arrived for arrived, _ in told)


def test_a_killed_download_goes_on_where_it_stopped(
    settings: Settings, tube: Tube, folder: Path
) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from engine.settings import Settings; from engine.youtube import downloads;"
        "settings = Settings(_env_file=None, state_dir=sys.argv[1], yt_watch_url=sys.argv[2]);"
        "die = lambda arrived, total: os._exit(9) if arrived > 20_000 else None;"
        f"downloads.download('{ID}', Path(sys.argv[3]), 'x', settings, expected_s=10, progress=die)"
    )
    arguments = [str(settings.state_dir), settings.yt_watch_url, str(folder)]
    killed = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=False)
    assert killed.returncode == 9
    [left] = folder.iterdir()
    assert left.name.startswith(".~")
    assert len(left.name) <= 20
    arrived = left.stat().st_size
    assert 10_000 < arrived < len(tube.media)
    tube.google.requests.clear()
    done = fetch(settings, folder)
    assert done.path.read_bytes() == tube.media
    assert tube.ranges[-1] is not None
    assert tube.ranges[-1].startswith(f"bytes={arrived}-")
    assert names(folder) == [done.path.name]


def test_a_call_that_was_killed_after_its_last_step_is_not_repeated(
    settings: Settings, tube: Tube, folder: Path
) -> None:
    first = fetch(settings, folder)
    tube.google.requests.clear()
    assert fetch(settings, folder) == first
    assert not any(tube.ranges)  # yt-dlp looks at the media, and fetches nothing


def test_a_file_of_another_length_is_fetched_again(
    settings: Settings, tube: Tube, folder: Path, a_tone: Any
) -> None:
    folder.mkdir(parents=True)
    a_tone(folder / "2024-05-06_Tee_dQw4w9WgXcQ.m4a", 3)
    assert fetch(settings, folder).path.read_bytes() == tube.media


@pytest.mark.parametrize(("expected_s", "taken"), [(11.9, True), (8.1, True), (13.0, False)])
def test_a_length_off_by_more_than_two_seconds_is_refused(
    settings: Settings, tube: Tube, folder: Path, expected_s: float, taken: bool
) -> None:
    if taken:
        assert fetch(settings, folder, expected_s=expected_s).path.is_file()
        return
    with pytest.raises(IncompleteDownload, match=r"10\.\d s instead of 13\.0 s"):
        fetch(settings, folder, expected_s=expected_s)
    assert names(folder) == []


def test_without_a_promise_the_pages_length_counts(
    settings: Settings, tube: Tube, folder: Path
) -> None:
    tube.duration = "PT30S"
    with pytest.raises(IncompleteDownload, match=r"instead of 30\.0 s"):
        fetch(settings, folder, expected_s=None)


def test_a_page_in_place_of_media_is_refused(settings: Settings, tube: Tube, folder: Path) -> None:
    tube.media = b"<html>Consent</html>" * 100
    with pytest.raises((IncompleteDownload, ExtractorTrouble)):
        fetch(settings, folder)
    assert names(folder) == []


def test_a_refused_address_is_looked_up_again(
    settings: Settings, tube: Tube, folder: Path, a_reply: Any
) -> None:
    tube.media_faults = [None, a_reply(403)]  # the look of yt-dlp, then the transfer
    assert fetch(settings, folder).path.is_file()
    tube.media_faults = [None, a_reply(403)] * 3
    with pytest.raises(MediaRefused, match="403"):
        fetch(settings, settings.library_dir / "other")


@pytest.mark.e2e
def test_a_throttled_transfer_is_looked_up_again_and_at_last_borne(
    settings: Settings,
    tube: Tube,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(downloads, "ROUNDS", 2)
    # yt-dlp gives up after 3 s: the first round ends so, and so would the second without patience
    speeds = iter((len(tube.media) / 20, len(tube.media) / 5))

    def page(request: Any) -> Any:
        tube.bytes_per_s = next(speeds)
        return tube.watch()

    tube.page = page
    assert fetch(settings, folder).path.read_bytes() == tube.media
    assert [r.getMessage() for r in caplog.records if r.name == downloads.__name__] == [
        f"{ID}: YouTube slows the transfer down; it is looked up again"
    ]
    assert len([r for r in tube.google.requests if r.path == "/watch"]) == 2
    resumed = tube.ranges[-1]
    assert resumed is not None
    assert not resumed.startswith("bytes=0-")


def test_a_throttled_or_refused_transfer_is_worth_another_look() -> None:
    throttled = ThrottledDownload()
    wrapped = DownloadError("x", (ThrottledDownload, throttled, None))
    assert downloads._worth_another_look(throttled)
    assert downloads._worth_another_look(wrapped)
    assert not downloads._worth_another_look(DownloadError("HTTP Error 403"))


def test_an_outage_in_the_middle_is_waited_for(
    settings: Settings, tube: Tube, folder: Path, a_reply: Any
) -> None:
    tube.media_faults = [None, a_reply(503), a_reply(drop=True)]
    assert fetch(settings, folder).path.is_file()


def test_a_line_that_is_down_is_temporary(settings: Settings, folder: Path) -> None:
    away = settings.model_copy(update={"yt_watch_url": "http://127.0.0.1:1/watch?v={id}"})
    with pytest.raises(NetworkTrouble):
        fetch(away, folder)


def test_a_full_disk_is_told_before_anything_is_fetched(
    settings: Settings, tube: Tube, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(DiskFull, match="0 MB left"):
        fetch(settings, folder)
    assert names(folder) == []
    assert not any(tube.ranges)


def test_a_full_disk_lets_all_downloads_rest(
    settings: Settings, tube: Tube, folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: Usage)
        with pytest.raises(DiskFull):
            fetch(settings, folder, clock=lambda: now)
    tube.google.requests.clear()
    with pytest.raises(DownloadsPaused, match="until 2026-11-22 12:30 UTC: .*disk full"):
        fetch(settings, folder, clock=lambda: now)
    assert tube.google.requests == []
    assert fetch(settings, folder, clock=lambda: now + timedelta(minutes=30)).path.is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_a_disk_that_fills_up_in_the_middle_is_a_full_disk(
    settings: Settings, tube: Tube, folder: Path, now: datetime
) -> None:
    class KilledError(Exception):
        pass

    def die(arrived: int, total: int | None) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        fetch(settings, folder, progress=die)
    [part] = folder.iterdir()
    part.unlink()
    part.symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        fetch(settings, folder, clock=lambda: now)
    assert pause.until(settings, now)


def test_a_breaker_that_cannot_be_set_does_not_hide_the_full_disk(
    settings: Settings, tube: Tube, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise DiskFull("No space left for the state.")

    class Usage:
        free = 1000

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage)
    monkeypatch.setattr(pause, "set_until", no_room)
    with pytest.raises(DiskFull, match="0 MB left"):
        fetch(settings, folder)


def test_who_waits_for_a_place_asks_nothing_when_downloads_rest_meanwhile(
    settings: Settings, tube: Tube, folder: Path, now: datetime
) -> None:
    single = settings.model_copy(update={"yt_downloads_at_once": 1})

    def meanwhile(seconds: float) -> None:
        pause.set_until(single, now + timedelta(hours=1), now, "a bot wall")

    with slots.held(single), pytest.raises(DownloadsPaused, match="a bot wall"):
        fetch(single, folder, clock=lambda: now, sleep=meanwhile)
    assert tube.google.requests == []


def test_what_the_caller_raises_comes_back_as_it_is(
    settings: Settings, tube: Tube, folder: Path
) -> None:
    class CancelledError(Exception):
        pass

    def cancel(arrived: int, total: int | None) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        fetch(settings, folder, progress=cancel)


def test_an_odd_suffix_is_not_taken_over() -> None:
    assert finishing.suffix({"ext": "exe"}) == ".mka"
    assert finishing.suffix({"ext": "../x"}) == ".mka"
    assert finishing.suffix({}) == ".mka"
    assert finishing.suffix({"ext": "M4A"}) == ".m4a"


def test_a_bot_wall_in_front_of_the_media_sets_the_breaker_too(
    settings: Settings, tube: Tube, folder: Path, now: datetime, a_reply: Any
) -> None:
    tube.media_faults = [None, a_reply(429)]
    with pytest.raises(RateLimited):
        fetch(settings, folder, clock=lambda: now)
    assert pause.until(settings, now)


def test_yt_dlp_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, engine.youtube.downloads, engine.youtube.plan;"
        "print([m for m in ('yt_dlp', 'googleapiclient', 'av') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
