import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import (
    AgeRestricted,
    BotWall,
    DownloadsPaused,
    ExtractorTrouble,
    LiveVideo,
    MembersOnly,
    MissingProgram,
    PaidVideo,
    PrivateVideo,
    RateLimited,
    UnknownVideo,
    UpcomingVideo,
)
from engine.settings import Settings
from engine.youtube import downloads, extraction, pause

ID = "dQw4w9WgXcQ"
ROOT = Path(__file__).resolve().parents[3]


class Tube:
    """One watch page, and something that looks like media behind it."""

    def __init__(self, google: Any, reply: Any) -> None:
        self.google, self.reply = google, reply
        self.page: Any = None
        google.answer = self.answer

    def answer(self, request: Any) -> Any:
        if request.path != "/watch":
            return self.reply(200, b"x" * 1000, {"Content-Type": "audio/mp4"})
        return self.page(request) if callable(self.page) else self.page or self.watch()

    def watch(self) -> Any:
        data = {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            "name": "Über den Tee",
            "uploadDate": "2024-05-06T10:00:00Z",
            "contentUrl": f"{self.google.root}media/sound.m4a",
        }
        page = f'<html><script type="application/ld+json">{json.dumps(data)}</script></html>'
        return self.reply(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture
def tube(google: Any, a_reply: Any) -> Tube:
    return Tube(google, a_reply)


def says(tube: Tube, text: str) -> Callable[[Any], Any]:
    """A page on which yt-dlp fails with a text of YouTube's."""
    return lambda request: tube.reply(200, text.encode(), {"Content-Type": "text/html"})


@pytest.mark.parametrize(("status", "leaf"), [(402, BotWall), (429, RateLimited)])
def test_a_bot_wall_or_rate_limit_sets_the_breaker(
    settings: Settings, tube: Tube, now: datetime, status: int, leaf: type
) -> None:
    tube.page = tube.reply(status)
    with pytest.raises(leaf) as met:
        downloads.metadata(ID, settings, clock=lambda: now)
    assert met.value.not_before == now + timedelta(hours=1)
    assert pause.until(settings, now) == now + timedelta(hours=1)
    tube.google.requests.clear()
    for _ in range(2):
        with pytest.raises(DownloadsPaused, match=r"UTC: YouTube (takes|asked)") as paused:
            downloads.metadata(ID, settings, clock=lambda: now)
        assert paused.value.not_before == now + timedelta(hours=1)
    with pytest.raises(DownloadsPaused):
        downloads.download(
            ID,
            settings.library_dir,
            "x",
            settings,
            expected_s=1,
            progress=lambda arrived, total: None,
            clock=lambda: now,
        )
    assert tube.google.requests == []
    tube.page = None
    assert downloads.metadata(ID, settings, clock=lambda: now + timedelta(hours=1)).title


def test_an_unknown_video_is_permanent_and_pauses_nothing(
    settings: Settings, tube: Tube, now: datetime
) -> None:
    tube.page = tube.reply(404)
    with pytest.raises(UnknownVideo):
        downloads.metadata(ID, settings)
    assert pause.until(settings, now) is None


def test_a_page_without_media_is_the_extractors_trouble(settings: Settings, tube: Tube) -> None:
    tube.page = says(tube, "<html>nothing</html>")
    with pytest.raises(ExtractorTrouble, match="yt-dlp found nothing to download"):
        downloads.metadata(ID, settings)


@pytest.fixture
def cookies(settings: Settings, tmp_path: Path) -> Settings:
    file = tmp_path / "cookies.txt"
    file.write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tSID\tsecret\n",
        encoding="utf-8",
    )
    return settings.model_copy(update={"yt_cookies_file": file})


def test_cookies_are_sent_only_where_nothing_else_helps(
    settings: Settings, cookies: Settings, tube: Tube, now: datetime
) -> None:
    def wall(request: Any) -> Any:
        return tube.watch() if "cookie" in request.headers else tube.reply(402)

    assert downloads.metadata(ID, cookies).title == "Über den Tee"
    assert not any("cookie" in request.headers for request in tube.google.requests)
    tube.page = wall
    assert downloads.metadata(ID, cookies).title == "Über den Tee"
    assert pause.until(cookies, now) is None
    assert cookies.yt_cookies_file is not None
    before = cookies.yt_cookies_file.read_text(encoding="utf-8")
    assert before.endswith("secret\n")


def test_cookies_that_do_not_help_leave_the_obstacle(cookies: Settings, tube: Tube) -> None:
    tube.page = tube.reply(402)
    with pytest.raises(BotWall):
        downloads.metadata(ID, cookies)
    assert len([r for r in tube.google.requests if "cookie" in r.headers]) == 1


def test_an_obstacle_that_cookies_do_not_mend_is_not_tried_again(
    cookies: Settings, tube: Tube
) -> None:
    tube.page = tube.reply(404)
    with pytest.raises(UnknownVideo):
        downloads.metadata(ID, cookies)
    assert not any("cookie" in request.headers for request in tube.google.requests)


@pytest.mark.parametrize(
    ("info", "leaf", "wait"),
    [
        ({"live_status": "is_upcoming"}, UpcomingVideo, timedelta(hours=2)),
        (
            {"live_status": "is_upcoming", "release_timestamp": 1795348800, "duration": 60},
            UpcomingVideo,
            timedelta(minutes=1),
        ),
        ({"live_status": "is_live"}, LiveVideo, timedelta(hours=2)),
        ({"live_status": "post_live"}, LiveVideo, timedelta(hours=1)),
    ],
)
def test_what_is_not_finished_waits(
    info: dict[str, Any], leaf: type, wait: timedelta, now: datetime
) -> None:
    with pytest.raises(leaf) as early:
        extraction._refuse_unfinished(info, ID, now)
    start = info.get("release_timestamp")
    base = datetime.fromtimestamp(start, UTC) if start else now
    assert early.value.not_before == base + wait


def test_a_finished_video_does_not_wait(now: datetime) -> None:
    extraction._refuse_unfinished({"live_status": "was_live"}, ID, now)


def test_a_list_of_one_is_that_video() -> None:
    listed = {"_type": "playlist", "entries": [{"id": "a"}, None]}
    assert extraction._single(listed, ID) == {"id": "a"}
    for found in (None, {"_type": "playlist", "entries": [{"id": "a"}, {"id": "b"}]}):
        with pytest.raises(ExtractorTrouble, match="no single video"):
            extraction._single(found, ID)


@pytest.mark.parametrize(
    ("availability", "age_limit", "leaf"),
    [
        ("subscriber_only", 0, MembersOnly),
        ("private", None, PrivateVideo),
        ("premium_only", 0, PaidVideo),
        ("needs_auth", 18, AgeRestricted),
    ],
)
def test_an_obstacle_that_the_page_names_is_told_when_nothing_can_be_fetched(
    availability: str, age_limit: int | None, leaf: type
) -> None:
    found = {"id": ID, "formats": [], "availability": availability, "age_limit": age_limit}
    with pytest.raises(leaf, match=ID):
        extraction._refuse_obstacle(found, ID)


@pytest.mark.parametrize(
    "found",
    [
        {"availability": "subscriber_only", "formats": [{"url": "http://x"}]},
        {"availability": "subscriber_only", "_type": "url", "url": "http://x"},
        {"availability": "needs_auth", "age_limit": 0, "formats": []},
        {"availability": "public", "formats": []},
        {"formats": []},
        None,
    ],
)
def test_what_can_be_fetched_or_is_not_explained_is_no_obstacle(found: Any) -> None:
    extraction._refuse_obstacle(found, ID)


def test_every_look_takes_a_turn_one_with_cookies_too(
    settings: Settings, cookies: Settings, tube: Tube, now: datetime
) -> None:
    def due() -> float:
        return float(settings.pace_file.read_text(encoding="utf-8"))

    paced = {"yt_videos_per_hour": 250}
    cookies = cookies.model_copy(update=paced)
    downloads.metadata(ID, cookies, clock=lambda: now)
    assert due() == pytest.approx(now.timestamp() + 14.4)
    tube.page = tube.reply(402)
    with pytest.raises(BotWall):
        downloads.metadata(ID, cookies, clock=lambda: now)
    assert due() == pytest.approx(now.timestamp() + 3 * 14.4)
    with pytest.raises(DownloadsPaused):
        downloads.metadata(ID, cookies, clock=lambda: now)
    assert due() == pytest.approx(now.timestamp() + 3 * 14.4), "nothing was looked at"


def test_a_provider_of_po_tokens_needs_the_plugin(
    settings: Settings, tube: Tube, tmp_path: Path
) -> None:
    code = (
        "import sys; from engine.settings import Settings; from engine.youtube import downloads;"
        "settings = Settings(_env_file=None, state_dir=sys.argv[1], yt_watch_url=sys.argv[2],"
        " yt_po_token_provider_url='http://127.0.0.1:1');"
        f"print(ascii(downloads.metadata('{ID}', settings).title))"
    )
    told = settings.model_copy(update={"yt_po_token_provider_url": "http://127.0.0.1:1"})
    if "yt_dlp_plugins.extractor.getpot_bgutil_http" not in sys.modules:
        with pytest.raises(MissingProgram, match=r'pip install -e "\.\[po-token\]"'):
            downloads.metadata(ID, told)
    plugin = tmp_path / "plugins" / "yt_dlp_plugins" / "extractor" / "getpot_bgutil_http.py"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    argv = [sys.executable, "-c", f"import sys; sys.path.append({str(plugin.parents[2])!r});{code}"]
    argv += [str(settings.state_dir), settings.yt_watch_url]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == rb"'\xdcber den Tee'"
