from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.errors import QuotaUsedUp, UnknownPlaylist
from engine.settings import Settings
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.keys import KeyRing
from engine.youtube.plan import Plan, discover
from engine.youtube.selection import choose

CHANNEL = Channel("UC" + "c" * 22, "@thechannel", "The channel", "UU" + "c" * 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def catalog(settings: Settings, ring: KeyRing) -> Iterator[Catalog]:
    with Catalog(settings, keys=ring) as opened:
        yield opened


@pytest.fixture
def plan(settings: Settings, catalog: Catalog) -> Any:
    def made(known: set[str] | None = None, **selection: Any) -> Plan:
        chosen = choose(**selection)
        ids = known or set()
        return discover(CHANNEL, chosen, ids, catalog, settings, clock=lambda: NOW, zone=UTC)

    return made


def ids(plan: Plan) -> list[str]:
    return [item.video.video_id for item in plan]


def test_the_first_time_takes_the_newest_of_the_backlog_cap(
    plan: Any, world: Any, catalog: Catalog
) -> None:
    every = world.fill(130)
    found = plan()
    assert ids(found) == every[:50]
    assert found.found == 50
    assert {item.verdict for item in found} == {"planned"}
    assert found.items[0].video.channel_handle == "@thechannel"
    assert catalog.units == 2


def test_nothing_new_asks_the_api_nothing(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(130)
    found = plan(known=set(every[:60]))
    assert ids(found) == []
    assert found.found == 1
    assert catalog.units == 0
    assert [request.path for request in world.google.requests] == ["/feeds/videos.xml"]


def test_some_new_ones_cost_one_unit(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(130)
    assert ids(plan(known=set(every[4:]))) == every[:4]
    assert catalog.units == 1


def test_what_is_older_than_the_newest_known_one_is_not_new(plan: Any, world: Any) -> None:
    every = world.fill(130)
    found = plan(known={every[3]})
    assert ids(found) == every[:3]
    assert found.known == (every[3],)


def test_a_gap_of_more_than_fifteen_is_filled_from_the_api(
    plan: Any, world: Any, catalog: Catalog
) -> None:
    every = world.fill(130)
    assert ids(plan(known=set(every[70:]))) == every[:70]
    assert catalog.units == 2 + 2


def test_without_a_feed_the_api_answers(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(130)
    world.feed_status = 404
    assert ids(plan(known=set(every[2:]))) == every[:2]
    assert catalog.units == 1 + 1


def test_a_library_of_videos_that_are_gone_starts_anew(plan: Any, world: Any) -> None:
    every = world.fill(130)
    assert ids(plan(known={"gone_gone_g"})) == every[:50]


def test_the_latest_are_the_newest_known_ones_left_out(
    plan: Any, world: Any, catalog: Catalog
) -> None:
    every = world.fill(130)
    found = plan(known={every[0], every[5]}, latest=8)
    assert ids(found) == [every[i] for i in (1, 2, 3, 4, 6, 7)]
    assert found.known == (every[0], every[5])
    assert found.found == 8
    assert catalog.units == 2
    assert len(ids(plan(latest=120))) == 120


def test_days_stop_the_paging(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(400)
    since = (NOW - timedelta(days=20)).date()
    until = (NOW - timedelta(days=10)).date()
    found = plan(since=since, until=until)
    assert ids(found) == every[10:21]
    assert catalog.units == 2
    assert all(since <= item.video.published_at.date() <= until for item in found)


def test_days_narrow_the_latest(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(400)
    assert ids(plan(latest=3, until=(NOW - timedelta(days=60)).date())) == every[60:63]
    assert catalog.units == 2 + 1


def test_an_entry_out_of_order_does_not_stop_the_paging(plan: Any, world: Any) -> None:
    every = world.fill(120)
    world.uploads = [every[110], *every[:110], *every[111:]]
    assert ids(plan(since=(NOW - timedelta(days=70)).date())) == every[:71]


def test_most_viewed_ranks_known_ones_too(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(120)
    found = plan(most_viewed=3)
    assert ids(found) == every[119:116:-1]
    assert catalog.units == 3 + 3
    again = plan(known=set(ids(found)), most_viewed=3)
    assert ids(again) == []
    assert again.known == tuple(every[119:116:-1])


def test_a_playlist_keeps_its_order_and_its_days_are_those_of_the_videos(
    plan: Any, world: Any
) -> None:
    every = world.fill(30)
    world.playlists = {"PLlist": [every[9], every[2], every[20]]}
    assert ids(plan(playlist="https://youtube.com/playlist?list=PLlist")) == [
        every[9],
        every[2],
        every[20],
    ]
    narrow = plan(playlist="https://youtube.com/playlist?list=PLlist", since=date(2026, 11, 10))
    assert ids(narrow) == [every[9], every[2]]
    with pytest.raises(UnknownPlaylist):
        plan(playlist="https://youtube.com/playlist?list=PLother")


def test_everything_is_everything(plan: Any, world: Any, catalog: Catalog) -> None:
    every = world.fill(120)
    found = plan(known={every[7]}, everything=True)
    assert ids(found) == [video_id for video_id in every if video_id != every[7]]
    assert found.found == 120
    assert catalog.units == 3 + 3


def test_each_video_has_its_verdict(plan: Any, world: Any) -> None:
    every = world.fill(6)
    world.hidden = {every[1]}
    world.details = {
        every[2]: {"snippet": {"liveBroadcastContent": "live"}},
        every[3]: {
            "snippet": {"liveBroadcastContent": "upcoming"},
            "liveStreamingDetails": {"scheduledStartTime": "2026-11-24T18:00:00Z"},
        },
        every[4]: {"contentDetails": {"contentRating": {"ytRating": "ytAgeRestricted"}}},
        every[5]: {"contentDetails": {"regionRestriction": {"allowed": []}}},
    }
    found = plan(everything=True)
    assert [(item.verdict, item.reason) for item in found] == [
        ("planned", None),
        ("skipped", "private"),
        ("deferred", "live now"),
        ("deferred", "upcoming: starts 2026-11-24 18:00 UTC"),
        ("skipped", "age-restricted"),
        ("skipped", "region: blocked in every country"),
    ]
    assert found.items[1].video.title == "Private video"
    assert found.items[3].not_before == datetime(2026, 11, 24, 18, 1, 30, tzinfo=UTC)
    assert len(found) == 6


def test_a_video_of_another_channel_keeps_its_own_handle(plan: Any, world: Any) -> None:
    every = world.fill(1)
    world.details = {every[0]: {"snippet": {"channelId": "UC" + "d" * 22}}}
    [item] = plan(everything=True)
    assert item.video.channel_handle is None


def test_used_up_keys_plan_nothing(plan: Any, world: Any, a_refusal: Any) -> None:
    world.fill(3)
    world.faults = [a_refusal(403, "quotaExceeded")] * 2
    with pytest.raises(QuotaUsedUp):
        plan()


@given(st.sets(st.integers(0, 39)), st.integers(1, 40))
@hypothesis_settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_known_and_new_ones_never_overlap(
    plan: Any, world: Any, known: set[int], latest: int
) -> None:
    every = world.fill(40)
    library = {every[index] for index in known}
    found = plan(known=library, latest=latest)
    assert not library & set(ids(found))
    assert {*ids(found), *found.known} == set(every[:latest])
