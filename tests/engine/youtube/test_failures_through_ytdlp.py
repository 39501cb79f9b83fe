"""YouTube's words through the real yt-dlp, over HTTP, to the leaves of the error tree."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine import errors
from engine.errors import Deferred, Permanent, Temporary, TonspurError
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo

ROOT = Path(__file__).resolve().parents[3]
ID = "dQw4w9WgXcQ"
HOUR = 3600
LOGIN = (
    ". Use --cookies-from-browser or --cookies for the authentication. See  "
    "https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how"
)
PAUSED = (
    ". The current session has been rate-limited by YouTube for up to an hour. It is recommended "
    "to use `-t sleep` to add a delay between video requests to avoid exceeding the rate limit"
)
MEDIA = "https://user:pw@r1.googlevideo.com/videoplayback?sig=SECRET&ip=1.2.3.4"


@dataclass(frozen=True)
class Case:
    """One failure: its class, the leaf, and what the sandbox does to bring it about."""

    number: int
    leaf: type[TonspurError]
    says: dict[str, Any] | None = None
    faults: tuple[dict[str, Any], ...] = ()
    fetch: bool = False
    wait_s: float | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        told = self.says or self.faults[0]
        said = told.get("text", "")[:70] or json.dumps(told.get("info", told))[:50]
        return f"{self.number} {told.get('kind', 'http')} {said}"

    @property
    def base(self) -> type[TonspurError]:
        return next(
            base for base in (Permanent, Temporary, Deferred) if issubclass(self.leaf, base)
        )

    def planned(self) -> dict[str, Any]:
        rules = [{"times": None, **fault} for fault in self.faults]
        if self.says:
            rules.append({"route": f"/watch/{ID}", "times": None, "says": self.says})
        return {"video_id": ID, "fetch": self.fetch, "faults": rules}


def texts(number: int, leaf: type[TonspurError], *said: str, **more: Any) -> Iterator[Case]:
    """Every text as yt-dlp raises it; with apostrophes of both kinds where it has some."""
    for text in said:
        for form in dict.fromkeys((text, text.replace("'", "’"))):
            yield Case(number, leaf, {"text": form, "kind": "expected"}, **more)


def video(number: int, leaf: type[TonspurError], info: dict[str, Any], **more: Any) -> Case:
    return Case(number, leaf, {"kind": "video", "info": info}, **more)


LOCKED = {"format_id": "1", "url": "http://127.0.0.1:1/x", "ext": "m4a", "has_drm": True}
PICTURES = LOCKED | {"ext": "mhtml", "acodec": "none", "vcodec": "none", "has_drm": False}
CASES = [
    *texts(
        1,
        errors.BotWall,
        "Sign in to confirm you're not a bot" + LOGIN,
        "Video unavailable. YouTube is requiring a captcha challenge before playback",
        "All player responses are invalid. Your IP is likely being blocked by Youtube",
        "Unable to download API page: HTTP Error 402: Payment Required",
        wait_s=HOUR,
    ),
    Case(1, errors.BotWall, faults=({"route": "/watch/*", "status": 402},), wait_s=HOUR),
    *texts(
        2,
        errors.RateLimited,
        "Video unavailable. This content isn't available, try again later" + PAUSED,
        "The current session has been rate-limited by YouTube for up to an hour",
        "Unable to download API page: HTTP Error 429: Too Many Requests",
        wait_s=HOUR,
    ),
    Case(2, errors.RateLimited, faults=({"route": "/watch/*", "status": 429},), wait_s=HOUR),
    *texts(
        3,
        errors.AgeRestricted,
        "Sign in to confirm your age. This video may be inappropriate for some users" + LOGIN,
        "This video is age-restricted and only available on YouTube. Learn more",
        "This video may be inappropriate for some users.",
        "AGE_VERIFICATION_REQUIRED",
    ),
    video(3, errors.AgeRestricted, {"formats": [], "availability": "needs_auth", "age_limit": 18}),
    *texts(
        4,
        errors.MembersOnly,
        "Join this channel to get access to members-only content like this video, and more.",
        "This video is available to this channel's members on level: Gold (or any higher level).",
        "Video unavailable. This is a members-only video",
    ),
    video(4, errors.MembersOnly, {"formats": [], "availability": "subscriber_only"}),
    *texts(
        5,
        errors.PrivateVideo,
        "Private video. Sign in if you've been granted access to this video" + LOGIN,
        "Video unavailable. This video is private",
    ),
    video(5, errors.PrivateVideo, {"formats": [], "availability": "private"}),
    *texts(
        6,
        errors.RegionBlocked,
        "Video unavailable. The uploader has not made this video available in your country",
        "Video unavailable. This video contains content from X, who has blocked it in your "
        "country on copyright grounds",
        "This video is not available from your location due to geo restriction",
    ),
    Case(6, errors.RegionBlocked, {"kind": "region", "text": "Private video", "countries": ["DE"]}),
    *texts(
        7,
        errors.PaidVideo,
        "This video requires payment to watch",
        "This video is only available to Music Premium members",
        "This video is a rental",
        "YPC_CLICKWRAP: this YPC video has to be bought",
    ),
    video(7, errors.PaidVideo, {"formats": [], "availability": "premium_only"}),
    *texts(
        8,
        errors.GoneVideo,
        "Video unavailable. This video has been removed by the uploader",
        "This video has been removed for violating YouTube's Terms of Service",
        "Video unavailable. The YouTube account associated with this video has been terminated",
        "Video unavailable. This video is no longer available due to a copyright claim by X",
        "This video has been taken down on copyright grounds",
        "This video does not exist",
        "Video unavailable. This video is no longer available because the uploader has closed "
        "their YouTube account",
    ),
    Case(8, errors.UnknownVideo, faults=({"route": "/watch/*", "status": 404},)),
    *texts(9, errors.UpcomingVideo, "This live event will begin in 3 hours.", wait_s=3 * HOUR),
    *texts(9, errors.UpcomingVideo, "Premieres in 20 minutes", wait_s=1200),
    *texts(9, errors.UpcomingVideo, "Offline.", "LIVE_STREAM_OFFLINE", wait_s=2 * HOUR),
    Case(9, errors.UpcomingVideo, {"kind": "off air"}, wait_s=2 * HOUR),
    video(9, errors.UpcomingVideo, {"live_status": "is_upcoming"}),
    *texts(10, errors.LiveVideo, "This live stream recording is not available.", wait_s=3 * HOUR),
    video(10, errors.LiveVideo, {"live_status": "is_live"}),
    video(10, errors.LiveVideo, {"live_status": "post_live"}),
    video(9, errors.UpcomingVideo, {"live_status": "is_upcoming", "formats": []}),
    video(10, errors.LiveVideo, {"live_status": "post_live", "formats": []}),
    *texts(11, errors.DrmProtected, "This video is DRM protected"),
    video(11, errors.DrmProtected, {"formats": [LOCKED]}),
    *texts(
        12,
        errors.ExtractorTrouble,
        "Requested format is not available. Use --list-formats for a list of available formats",
        "No video formats found!",
        "Only images are available for download. use --list-formats to see them",
        "Some web client https formats have been skipped: YouTube is forcing SABR streaming",
        "nsig extraction failed: Some formats may be missing",
        "n challenge solving failed: Some formats may be missing",
        "Failed to extract any player response",
    ),
    Case(12, errors.ExtractorTrouble, {"kind": "bug", "text": "No video formats found!"}),
    video(12, errors.ExtractorTrouble, {"formats": []}),
    video(12, errors.ExtractorTrouble, {"formats": [PICTURES]}),
    *texts(13, errors.MediaRefused, "unable to download video data: HTTP Error 403: Forbidden"),
    Case(13, errors.MediaRefused, faults=({"route": "/media/*", "status": 403},), fetch=True),
    *texts(
        14,
        errors.NetworkTrouble,
        "The read operation timed out",
        "Unable to download API page: timeout",
        "[Errno 104] Connection reset by peer",
        "[Errno -3] Temporary failure in name resolution",
        "<urlopen error [Errno 11001] getaddrinfo failed>",
        "Incomplete data received",
    ),
    *texts(14, errors.ServiceTrouble, "Unable to download API page: HTTP Error 503: Unavailable"),
    Case(14, errors.ServiceTrouble, faults=({"route": "/watch/*", "status": 502},)),
    Case(14, errors.NetworkTrouble, faults=({"route": "/watch/*", "lost_answer": True},)),
    *texts(
        15,
        errors.StillProcessing,
        "We're processing this video. Check back later.",
        wait_s=HOUR / 2,
    ),
    *texts(16, errors.DiskFull, "unable to write data: [Errno 28] No space left on device"),
    *texts(16, errors.NoPermission, "unable to open for writing: [Errno 13] Permission denied"),
    *texts(16, errors.MissingProgram, "ffmpeg not found. Please install or provide the path"),
    *texts(17, errors.UnclearVideo, "Video unavailable", "This video isn't available any more"),
    Case(18, errors.UnknownTrouble, {"kind": "bug", "text": "Something nobody has seen before"}),
    Case(18, errors.UnknownTrouble, {"kind": "bug", "text": f"\x1b[31mOdd\x1b[0m: {MEDIA}"}),
]
NOTHING_SAID = {"video_id": ID, "fetch": True, "faults": []}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each case, all of them in one process."""
    home = tmp_path_factory.mktemp("said")
    one = SandboxVideo(id=ID, title="Tea", published=datetime(2024, 5, 6, tzinfo=UTC), talk="tea")
    channel = SandboxChannel(id="UC" + "s" * 22, handle="@said", title="Said", videos=(one,))
    with Sandbox(
        home / "sandbox", spec=SandboxSpec(channels=(channel,), outspoken=True)
    ) as running:
        told = running.environment()
        paths = os.pathsep.join((told["PYTHONPATH"], str(ROOT)))
        places = {"LIBRARY_DIR": str(home / "library"), "STATE_DIR": str(home / "state")}
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("said.py"))],
            input=json.dumps([*(case.planned() for case in CASES), NOTHING_SAID]),
            env={**os.environ, **told, **places, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    names = [*(case.name for case in CASES), "nothing said"]
    return dict(zip(names, json.loads(done.stdout), strict=True))


def test_every_class_of_the_table_is_met() -> None:
    assert {case.number for case in CASES} == set(range(1, 19))
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_video_of_which_nothing_is_said_is_fetched_as_ever(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["nothing said"]["leaf"] == "NoneType"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_youtube_says_becomes_its_leaf(
    outcomes: dict[str, dict[str, Any]], case: Case
) -> None:
    found = outcomes[case.name]
    assert (found["leaf"], case.base.__name__ in found["kinds"]) == (case.leaf.__name__, True)
    if case.wait_s is not None:
        assert found["wait_s"] == case.wait_s
    message = found["message"]
    assert message.startswith(ID)
    assert case.leaf.advice in message
    for odd in ("\x1b", "?", "SECRET", "pw@", "report this issue", "ERROR", "--cookies", "http:"):
        assert odd not in message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_what_concerns_the_machine_sets_the_breaker(
    outcomes: dict[str, dict[str, Any]], case: Case
) -> None:
    found = outcomes[case.name]
    if case.leaf in (errors.BotWall, errors.RateLimited, errors.DiskFull):
        assert found["paused_s"] >= (HOUR / 2 if case.leaf is errors.DiskFull else HOUR)
        assert (found["next"], found["asked_by_next"]) == ("DownloadsPaused", 0)
    else:
        assert found["paused_s"] is None
