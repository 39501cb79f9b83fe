from datetime import datetime, timedelta
from typing import Any

import pytest

from engine import errors
from engine.errors import Deferred
from engine.settings import Settings
from engine.video import Video
from engine.youtube import region
from engine.youtube.verdicts import Viewer, absent, judged, obstacle

NOW = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
HOUR = timedelta(hours=1)


def video(**fields: Any) -> Video:
    base = {"video_id": "dQw4w9WgXcQ", "published_at": NOW, "title": "T", "duration": "PT5M"}
    return Video.model_validate(base | fields)


def verdict(viewer: Viewer | None = None, **fields: Any) -> tuple[str, str | None]:
    found = judged(video(**fields), viewer or Viewer(NOW))
    return found.verdict, found.reason


def test_a_public_video_is_planned() -> None:
    found = judged(video(privacy_status="public", upload_status="processed"), Viewer(NOW))
    assert (found.verdict, found.reason, found.not_before) == ("planned", None, None)


@pytest.mark.parametrize(
    ("fields", "reason", "leaf"),
    [
        ({"privacy_status": "private"}, "private", errors.PrivateVideo),
        ({"upload_status": "rejected"}, "removed by YouTube", errors.GoneVideo),
        ({"upload_status": "failed"}, "its upload failed", errors.GoneVideo),
        ({"upload_status": "deleted"}, "removed by its owner", errors.GoneVideo),
        (
            {"content_rating": {"ytRating": "ytAgeRestricted"}},
            "age-restricted",
            errors.AgeRestricted,
        ),
        (
            {"region_restriction": {"allowed": []}},
            "region: blocked in every country",
            errors.RegionBlocked,
        ),
        (
            {"region_restriction": {"blocked": [f"{n:03d}" for n in range(249)]}},
            "region: blocked in nearly every country",
            errors.RegionBlocked,
        ),
        (
            {"region_restriction": {"blocked": ["DE", "AT"]}},
            "region: not shown in DE",
            errors.RegionBlocked,
        ),
        (
            {"region_restriction": {"allowed": ["us"]}},
            "region: not shown in DE",
            errors.RegionBlocked,
        ),
    ],
)
def test_an_obstacle_is_skipped_with_its_reason(
    settings: Settings, fields: dict[str, Any], reason: str, leaf: type
) -> None:
    assert verdict(Viewer(NOW, "DE"), **fields) == ("skipped", reason)
    german = settings.model_copy(update={"yt_region": "DE"})
    assert type(obstacle(video(**fields), german, NOW)) is leaf


@pytest.mark.parametrize(
    ("fields", "reason", "wait", "leaf"),
    [
        ({"live_broadcast_content": "live"}, "live now", 2 * HOUR, errors.LiveVideo),
        (
            {
                "live_broadcast_content": "upcoming",
                "duration": "P0D",
                "scheduled_start_time": NOW + 24 * HOUR,
            },
            "upcoming: starts 2026-11-23 12:00 UTC",
            26 * HOUR,
            errors.UpcomingVideo,
        ),
        (
            {"live_broadcast_content": "upcoming", "scheduled_start_time": NOW + HOUR},
            "upcoming: starts 2026-11-22 13:00 UTC",
            HOUR + timedelta(minutes=5),
            errors.UpcomingVideo,
        ),
        (
            {"live_broadcast_content": "upcoming", "scheduled_start_time": NOW - 9 * HOUR},
            "upcoming: starts 2026-11-22 03:00 UTC",
            HOUR / 2,
            errors.UpcomingVideo,
        ),
        (
            {"live_broadcast_content": "upcoming", "duration": None},
            "upcoming",
            2 * HOUR,
            errors.UpcomingVideo,
        ),
        (
            {"upload_status": "uploaded"},
            "YouTube is still processing it",
            HOUR / 2,
            errors.StillProcessing,
        ),
        ({"duration": "P0D"}, "its recording is not ready", HOUR / 2, errors.LiveVideo),
    ],
)
def test_what_is_too_early_is_deferred(
    settings: Settings, fields: dict[str, Any], reason: str, wait: timedelta, leaf: type
) -> None:
    found = judged(video(**fields), Viewer(NOW))
    assert (found.verdict, found.reason, found.not_before) == ("deferred", reason, NOW + wait)
    early = obstacle(video(**fields), settings, NOW)
    assert type(early) is leaf
    assert isinstance(early, Deferred)
    assert early.not_before == NOW + wait


def test_cookies_open_what_is_for_adults() -> None:
    grown_up = {"content_rating": {"ytRating": "ytAgeRestricted"}}
    assert verdict(Viewer(NOW, signed_in=True), **grown_up) == ("planned", None)


@pytest.mark.parametrize(
    "restriction", [{"blocked": ["DE"]}, {"allowed": ["DE"]}, {"blocked": "DE"}, {"allowed": None}]
)
def test_in_an_unknown_country_nothing_is_passed_over(restriction: dict[str, Any]) -> None:
    assert verdict(region_restriction=restriction) == ("planned", None)


def test_where_it_is_allowed_it_is_planned() -> None:
    for restriction in ({"allowed": ["DE"]}, {"blocked": ["US"]}):
        assert verdict(Viewer(NOW, "DE"), region_restriction=restriction)[0] == "planned"


def test_nothing_in_the_way_is_none(settings: Settings) -> None:
    assert obstacle(video(), settings, NOW) is None


def test_what_youtube_does_not_show_is_skipped() -> None:
    assert absent(video(title="Private video")).reason == "private"
    assert absent(video(title="Deleted video")).reason == "removed by its owner"
    assert absent(video()).reason == "not shown: private or removed"
    assert absent(video()).verdict == "skipped"


def test_the_country_is_what_somebody_said(settings: Settings) -> None:
    assert region.country(settings.model_copy(update={"yt_region": "AT"})) == "AT"


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows knows its country")
def test_without_a_word_the_country_is_unknown(settings: Settings) -> None:
    assert region.country(settings) is None
