import xml.etree.ElementTree as ET
from itertools import pairwise

import httpx
import pytest

from sandbox import Sandbox

SPACES = {
    "a": "http://www.w3.org/2005/Atom",
    "yt": "http://www.youtube.com/xml/schemas/2015",
    "m": "http://search.yahoo.com/mrss/",
}


def entries(sandbox: Sandbox, **query: str) -> list[ET.Element]:
    answer = httpx.get(sandbox.environment()["YT_FEED_URL"], params=query)
    assert answer.headers["content-type"].startswith("text/xml")
    return ET.fromstring(answer.content).findall("a:entry", SPACES)


def text(entry: ET.Element, path: str) -> str:
    return entry.findtext(path, "", SPACES)


def test_the_feed_shows_the_newest_fifteen_of_a_channel(sandbox: Sandbox) -> None:
    found = entries(sandbox, channel_id="UCbusybusybusybusybusyAA")
    assert len(found) == 15
    dates = [text(entry, "a:published") for entry in found]
    assert all(a > b for a, b in pairwise(dates))


def test_an_entry_carries_title_ids_and_views(sandbox: Sandbox) -> None:
    found = {text(e, "yt:videoId"): e for e in entries(sandbox, channel_id=sandbox.channel_id)}
    bread = found["_ssYRms24yg"]
    assert text(bread, "a:title") == sandbox.video("_ssYRms24yg").title
    assert text(bread, "yt:channelId") == sandbox.channel_id
    assert text(bread, "m:group/m:description") == sandbox.video("_ssYRms24yg").description
    statistics = bread.find("m:group/m:community/m:statistics", SPACES)
    assert statistics is not None
    assert statistics.get("views") == "58310"
    assert "-Z-2qeJBjh8" not in found
    assert "-SE7D6ezK4M" in found


def test_a_playlists_feed_keeps_its_order(sandbox: Sandbox) -> None:
    made = sandbox.spec.channels[0].playlists[0]
    found = entries(sandbox, playlist_id=made.id)
    assert [text(entry, "yt:videoId") for entry in found] == list(made.videos)
    shorts = entries(sandbox, playlist_id=f"UUSH{sandbox.channel_id[2:]}")
    assert [text(entry, "yt:videoId") for entry in shorts] == ["uF_C5ANi1Hk"]


def test_a_feed_lags_or_leaves_videos_out_where_that_is_planned(sandbox: Sandbox) -> None:
    busy = {"channel_id": "UCbusybusybusybusybusyAA"}

    def shown() -> list[str]:
        return [text(entry, "yt:videoId") for entry in entries(sandbox, **busy)]

    newest = shown()
    sandbox.fault(route="/feeds/*", lags=3)
    late = shown()
    assert (len(late), late[:12]) == (15, newest[3:])
    gaps = (newest[0], newest[7])
    sandbox.fault(route="/feeds/*", hides=gaps)
    holed = shown()
    assert (len(holed), holed[:13]) == (15, [id for id in newest if id not in gaps])
    sandbox.fault(route="/feeds/*", status=404)
    answer = httpx.get(sandbox.environment()["YT_FEED_URL"], params=busy)
    assert answer.status_code == 404
    assert shown() == newest


@pytest.mark.parametrize("query", [{"channel_id": "UCnobody"}, {"playlist_id": "PLx"}, {}])
def test_an_unknown_feed_is_not_found(sandbox: Sandbox, query: dict[str, str]) -> None:
    assert httpx.get(sandbox.environment()["YT_FEED_URL"], params=query).status_code == 404
