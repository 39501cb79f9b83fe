import json
import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import (
    MissingCredentials,
    NetworkTrouble,
    QuotaUsedUp,
    RefusedCredentials,
    ServiceTrouble,
    TonspurError,
    UnknownChannel,
    UnknownPlaylist,
)
from engine.settings import Settings
from engine.youtube.addresses import ChannelAddress
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.keys import KeyRing

CHANNEL = Channel("UC" + "c" * 22, "@thechannel", "The channel", "UU" + "c" * 22)


@pytest.fixture
def catalog(settings: Settings, ring: KeyRing) -> Iterator[Catalog]:
    with Catalog(settings, keys=ring) as opened:
        yield opened


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        (ChannelAddress("id", CHANNEL.channel_id), [("id", CHANNEL.channel_id)]),
        (ChannelAddress("handle", "thechannel"), [("forHandle", "@thechannel")]),
        (ChannelAddress("user", "oldname"), [("forUsername", "oldname")]),
        (ChannelAddress("custom", "thechannel"), [("forHandle", "@thechannel")]),
        (
            ChannelAddress("custom", "oldname"),
            [("forHandle", "@oldname"), ("forUsername", "oldname")],
        ),
    ],
)
def test_a_channel_costs_a_unit_and_never_a_search(
    catalog: Catalog, world: Any, address: ChannelAddress, asked: list[tuple[str, str]]
) -> None:
    assert catalog.channel(address) == CHANNEL
    sent = [request.query for request in world.google.requests]
    assert [(name, query[name]) for (name, _), query in zip(asked, sent, strict=True)] == asked
    assert (catalog.units, catalog.searches) == (len(asked), 0)


def test_an_unknown_channel_is_named(catalog: Catalog, world: Any) -> None:
    with pytest.raises(UnknownChannel, match="“nobody”"):
        catalog.channel(ChannelAddress("custom", "nobody"))
    assert catalog.units == 2


def test_uploads_come_page_by_page_newest_first(catalog: Catalog, world: Any) -> None:
    ids = world.fill(120)
    walk = catalog.uploads(CHANNEL)
    first = next(walk)
    assert catalog.units == 1
    assert [entry.video_id for entry in first] == ids[:50]
    assert first[0].published_at == world.published(ids[0])
    assert first[0].title == "Title of video000000"
    assert [entry.video_id for page in walk for entry in page] == ids[50:]
    assert catalog.units == 3


def test_a_channel_without_uploads_has_none(catalog: Catalog, world: Any) -> None:
    assert [*catalog.uploads(CHANNEL)] == []


def test_a_used_up_key_is_replaced_at_the_same_page(
    catalog: Catalog, world: Any, a_refusal: Any
) -> None:
    ids = world.fill(120)
    world.faults = [None, a_refusal(403, "quotaExceeded")]
    assert [entry.video_id for page in catalog.uploads(CHANNEL) for entry in page] == ids
    sent = [(r.key, r.query.get("pageToken")) for r in world.google.requests]
    assert sent == [
        ("key-one", None),
        ("key-one", "50"),
        ("key-two", "50"),
        ("key-two", "100"),
    ]
    assert catalog.units == 4  # every request sent


def test_all_keys_used_up_say_when_to_go_on(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    world.fill(60)
    world.faults = [None] + [a_refusal(403, "quotaExceeded")] * 2
    walk = catalog.uploads(CHANNEL)
    assert len(next(walk)) == 50
    with pytest.raises(QuotaUsedUp) as used_up:
        next(walk)
    assert used_up.value.not_before == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_playlist_is_known_or_not(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    world.playlists = {"PLgood": ["video000003", "video000001"]}
    assert [[e.video_id for e in page] for page in catalog.playlist("PLgood")] == [
        ["video000003", "video000001"]
    ]
    with pytest.raises(UnknownPlaylist, match="PLbad"):
        [*catalog.playlist("PLbad")]
    world.faults = [a_refusal(403, "playlistItemsNotAccessible")]
    with pytest.raises(UnknownPlaylist):
        [*catalog.playlist("PLgood")]


def test_the_playlists_of_a_channel(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    world.playlists = {"PLone": ["video000003"], "PLtwo": []}
    [page] = catalog.playlists(CHANNEL.channel_id)
    assert [(p.playlist_id, p.title, p.videos) for p in page] == [
        ("PLone", "PLone", 1),
        ("PLtwo", "PLtwo", 0),
    ]
    world.faults = [a_refusal(404, "channelNotFound")]
    with pytest.raises(UnknownChannel):
        [*catalog.playlists(CHANNEL.channel_id)]


def test_fifty_videos_cost_a_unit_and_bring_every_field(catalog: Catalog, world: Any) -> None:
    ids = world.fill(101)
    world.hidden = {ids[7]}
    world.details[ids[0]] = {
        "liveStreamingDetails": {"scheduledStartTime": "2026-12-01T18:00:00Z"},
        "snippet": {"categoryId": "27", "defaultAudioLanguage": "de", "videoId": "x" * 11},
        "contentDetails": {"regionRestriction": {"blocked": ["US"]}, "contentRating": {}},
        "status": {"license": "youtube"},
        "statistics": {"commentCount": "12"},
    }
    found = catalog.videos([*ids, ids[0]])
    assert catalog.units == 3
    assert [*found] == [video_id for video_id in ids if video_id != ids[7]]
    video = found[ids[0]]
    assert video.model_dump() == {
        "video_id": ids[0],
        "published_at": world.published(ids[0]),
        "channel_id": CHANNEL.channel_id,
        "title": "Title of video000000",
        "description": "All of it",
        "thumbnail": "https://i.ytimg.com/high.jpg",
        "channel_title": "The channel",
        "channel_handle": None,
        "thumbnails": {"high": {"url": "https://i.ytimg.com/high.jpg"}},
        "tags": ("a", "b"),
        "category_id": "27",
        "default_language": None,
        "default_audio_language": "de",
        "duration": "PT1M30S",
        "definition": "hd",
        "caption": "false",
        "view_count": 0,
        "like_count": 3,
        "comment_count": 12,
        "privacy_status": "public",
        "upload_status": "processed",
        "embeddable": True,
        "license": "youtube",
        "content_rating": {},
        "region_restriction": {"blocked": ["US"]},
        "live_broadcast_content": "none",
        "scheduled_start_time": datetime(2026, 12, 1, 18, tzinfo=UTC),
        "webpage_url": f"https://www.youtube.com/watch?v={ids[0]}",
    }


def test_no_video_costs_nothing(settings: Settings) -> None:
    assert Catalog(settings).videos([]) == {}


def test_one_odd_item_does_not_hide_the_others(
    catalog: Catalog, google: Any, world: Any, a_reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    items = [7, {}, {"id": "x", "snippet": 3}, world.item("video000001")]
    google.answer = lambda request: a_reply(body=json.dumps({"items": items}).encode())
    assert [*catalog.videos(["video000001"])] == ["video000001"]
    assert "Unreadable item" in caplog.text


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff\xfe", b'{"items": 3}', b"[" * 9999])
def test_an_answer_in_an_unknown_form_is_the_services_trouble(
    catalog: Catalog, google: Any, a_reply: Any, body: bytes
) -> None:
    google.answer = lambda request: a_reply(body=body)
    with pytest.raises(ServiceTrouble):
        catalog.videos(["video000001"])


def test_an_outage_is_waited_for(
    catalog: Catalog, world: Any, a_refusal: Any, a_reply: Any, pauses: list[float]
) -> None:
    world.fill(1)
    world.faults = [a_refusal(503, "backendError"), a_reply(drop=True), a_reply(502, b"<html>")]
    assert len([*catalog.uploads(CHANNEL)]) == 1
    assert pauses == [2.0, 4.0, 8.0]
    assert catalog.units == len(world.google.requests) == 4


def test_a_lasting_outage_is_temporary(catalog: Catalog, world: Any, a_reply: Any) -> None:
    world.faults = [a_reply(drop=True)] * 4
    with pytest.raises(NetworkTrouble):
        catalog.videos(["video000001"])


def test_a_refused_request_says_so(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    world.faults = [a_refusal(400, "invalidCriteria", "Bad filter.")]
    with pytest.raises(ServiceTrouble, match="Bad filter"):
        catalog.videos(["video000001"])
    world.faults = [a_refusal(403, "forbidden")]
    with pytest.raises(ServiceTrouble, match="refuses to tell"):
        catalog.videos(["video000001"])


def test_a_stale_page_restarts_the_list(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    ids = world.fill(70)
    world.faults = [None, a_refusal(400, "invalidPageToken")]
    assert [e.video_id for page in catalog.uploads(CHANNEL) for e in page] == ids


def test_without_keys_nothing_is_asked(settings: Settings, world: Any) -> None:
    bare = settings.model_copy(update={"yt_api_keys": ()})
    with pytest.raises(MissingCredentials):
        Catalog(bare).videos(["video000001"])
    assert world.google.requests == []


def test_an_endpoint_below_a_path_keeps_it(settings: Settings, ring: KeyRing, world: Any) -> None:
    below = settings.model_copy(update={"yt_api_endpoint": f"{settings.yt_api_endpoint}proxy"})
    Catalog(below, keys=ring).videos(["video000001"])
    assert world.google.requests[0].path == "/proxy/youtube/v3/videos"


def _faults(a_refusal: Callable[..., Any], a_reply: Callable[..., Any]) -> list[list[Any]]:
    told = "The key key-one is bad; key-two too."
    return [
        [],
        [a_refusal(400, "keyInvalid", told)] * 2,
        [a_refusal(403, "quotaExceeded", told)] * 2,
        [a_refusal(429, "rateLimitExceeded", told)] * 8,
        [a_refusal(500, "backendError", told)] * 4,
        [a_refusal(400, "invalidCriteria", told)],
        [a_refusal(404, "playlistNotFound", told)],
        [a_reply(drop=True)] * 4,
        [a_reply(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"})] * 4,
        [a_reply(200, b"key-one key-two")] * 4,
    ]


@pytest.mark.parametrize("number", range(10))
def test_a_key_is_in_no_url_log_or_exception(
    number: int,
    catalog: Catalog,
    world: Any,
    a_refusal: Any,
    a_reply: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    world.fill(3)
    world.faults = _faults(a_refusal, a_reply)[number]
    said = ""
    try:
        [*catalog.uploads(CHANNEL)]
    except TonspurError as error:
        said = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
    printed = capfd.readouterr()
    urls = " ".join(request.url for request in world.google.requests)
    assert world.google.requests
    assert {request.key for request in world.google.requests} <= {"key-one", "key-two"}
    for text in (said, caplog.text, printed.out, printed.err, urls):
        assert "key-one" not in text
        assert "key-two" not in text


def test_every_key_refused_stops_the_batch(catalog: Catalog, world: Any, a_refusal: Any) -> None:
    world.faults = [a_refusal(403, "accessNotConfigured")] * 2
    with pytest.raises(RefusedCredentials, match="Enable it"):
        catalog.videos(["video000001"])
