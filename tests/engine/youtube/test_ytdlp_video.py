from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import ExtractorTrouble
from engine.youtube.ytdlp_video import described

ID = "dQw4w9WgXcQ"
INFO: dict[str, Any] = {
    "id": "other",
    "title": "x (fallback)",
    "fulltitle": "The title",
    "timestamp": 1_700_000_000,
    "upload_date": "20231114",
    "duration": 212.6,
    "channel": "The channel",
    "channel_id": "UCx",
    "uploader_id": "@thechannel",
    "description": "All",
    "thumbnail": "https://i.ytimg.com/a.jpg",
    "tags": ["a", 3],
    "language": "en",
    "view_count": 7,
    "like_count": "many",
    "availability": "public",
    "live_status": "was_live",
}


def test_the_fields_of_youtube_are_taken_and_the_id_is_the_one_asked_for() -> None:
    video = described(INFO, ID)
    assert video.video_id == ID
    assert video.title == "The title"
    assert video.published_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert video.duration == "PT3M33S"
    assert (video.channel_id, video.channel_title) == ("UCx", "The channel")
    assert video.channel_handle == "@thechannel"
    assert (video.view_count, video.like_count, video.tags) == (7, None, ("a",))
    assert video.privacy_status == "public"
    assert video.live_broadcast_content == "none"
    assert video.webpage_url == f"https://www.youtube.com/watch?v={ID}"


def test_a_day_is_enough_for_a_date() -> None:
    video = described({"title": "T", "upload_date": "20240506"}, ID)
    assert video.published_at == datetime(2024, 5, 6, tzinfo=UTC)
    assert video.duration is None
    assert video.privacy_status is None


@pytest.mark.parametrize(
    ("info", "missing"),
    [
        ({"title": "T"}, "date"),
        ({"title": "T", "timestamp": 1e30}, "date"),
        ({"title": "T", "upload_date": "soon"}, "date"),
        ({"title": "  ", "timestamp": 1}, "title"),
        ({"title": 3, "timestamp": 1}, "title"),
    ],
)
def test_nothing_is_invented(info: dict[str, Any], missing: str) -> None:
    with pytest.raises(ExtractorTrouble, match=f"tells no {missing}"):
        described(info, ID)


def test_an_absurd_length_is_none() -> None:
    assert described(INFO | {"duration": 1e12}, ID).duration is None
    assert described(INFO | {"duration": -3}, ID).duration is None
