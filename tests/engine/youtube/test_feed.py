from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NetworkTrouble, ServiceTrouble
from engine.settings import Settings
from engine.youtube import feed

NAMES = 'xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"'


def test_the_newest_fifteen_come_without_key_and_quota(settings: Settings, world: Any) -> None:
    ids = world.fill(40)
    found = feed.newest("UC" + "c" * 22, settings)
    assert [entry.video_id for entry in found] == ids[:15]
    assert found[0].published_at == world.published(ids[0])
    assert found[0].title == "Title of video000000"
    [request] = world.google.requests
    assert request.query == {"channel_id": "UC" + "c" * 22}
    assert request.key is None


def test_an_address_with_a_query_keeps_it(settings: Settings, world: Any) -> None:
    asked = settings.model_copy(update={"yt_feed_url": f"{settings.yt_feed_url}?a=b"})
    feed.newest("UCx", asked)
    assert world.google.requests[0].query == {"a": "b", "channel_id": "UCx"}


def test_a_list_that_is_not_there_has_no_feed(settings: Settings, world: Any) -> None:
    world.feed_status = 404
    assert feed.newest("UUSHx", settings) is None
    assert world.google.requests[0].query == {"playlist_id": "UUSHx"}


@pytest.mark.parametrize("status", [500, 302])
def test_an_outage_says_nothing_about_the_channel(
    settings: Settings, world: Any, status: int
) -> None:
    world.feed_status = status
    with pytest.raises(ServiceTrouble, match=str(status)):
        feed.newest("UCx", settings)


def test_nobody_there_is_network_trouble(settings: Settings) -> None:
    away = settings.model_copy(update={"yt_feed_url": "http://127.0.0.1:1/feed"})
    with pytest.raises(NetworkTrouble):
        feed.newest("UCx", away)


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><a>&b;</a>'


@pytest.mark.parametrize(
    "content",
    [
        BOMB.encode(),
        BOMB.lower().encode(),
        BOMB.encode("utf-16"),
        b"",
        b"<feed",
        b"\xff",
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    ],
)
def test_hostile_or_broken_xml_is_refused(content: bytes) -> None:
    with pytest.raises(ServiceTrouble):
        feed.entries(content)


def test_a_large_feed_is_not_read(
    settings: Settings, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LARGEST", 100)
    world.fill(15)
    with pytest.raises(ServiceTrouble, match="more than 100 bytes"):
        feed.newest("UCx", settings)


def test_odd_entries_are_left_out_and_the_rest_is_sorted() -> None:
    def entry(video_id: str, published: str) -> str:
        return (
            f"<entry><yt:videoId>{video_id}</yt:videoId><published>{published}</published></entry>"
        )

    text = (
        f"<feed {NAMES}>"
        + entry("aaaaaaaaaaa", "2024-01-01T00:00:00+00:00")
        + entry("../../../ab", "2024-01-01T00:00:00+00:00")
        + entry("bbbbbbbbbbb", "yesterday")
        + entry("short", "2024-01-01T00:00:00Z")
        + entry("c_c-ccccccc", "2024-06-01T02:00:00+02:00")
        + "<entry/></feed>"
    )
    found = feed.entries(text.encode())
    assert [(e.video_id, e.title) for e in found] == [("c_c-ccccccc", ""), ("aaaaaaaaaaa", "")]
    assert str(found[0].published_at) == "2024-06-01 00:00:00+00:00"


@given(st.one_of(st.binary(), st.text().map(lambda text: f"<feed {NAMES}>{text}</feed>".encode())))
def test_any_bytes_are_a_feed_or_refused(content: bytes) -> None:
    try:
        assert isinstance(feed.entries(content), list)
    except ServiceTrouble as trouble:
        assert str(trouble)
