import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from sandbox import Sandbox

UPLOADS = "UUWZlWK0ear36VjPOYgH0piA"
BUSY = "UUbusybusybusybusybusyAA"
ENTRIES = {"part": "id", "playlistId": BUSY}
MISSING = "missingRequiredParameter"


def google(sandbox: Sandbox, key: str = "rich") -> Any:
    return build(
        "youtube",
        "v3",
        static_discovery=True,
        developerKey=key,
        client_options={"api_endpoint": sandbox.url},
    )


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["errors"][0]["reason"])


def ids_of(answer: httpx.Response) -> list[str]:
    return [item["contentDetails"]["videoId"] for item in answer.json()["items"]]


def test_googles_own_client_reads_channel_list_and_videos(sandbox: Sandbox) -> None:
    client = google(sandbox)
    channel = client.channels().list(part="contentDetails", forHandle=sandbox.handle).execute()
    uploads = channel["items"][0]["contentDetails"]["relatedPlaylists"]["uploads"]
    assert uploads == UPLOADS
    entries = client.playlistItems().list(part="contentDetails", playlistId=uploads, maxResults=50)
    ids = [item["contentDetails"]["videoId"] for item in entries.execute()["items"]]
    videos = client.videos().list(part="snippet,contentDetails", id=",".join(ids)).execute()
    titles = {item["id"]: item["snippet"]["title"] for item in videos["items"]}
    assert titles["_ssYRms24yg"] == sandbox.video("_ssYRms24yg").title
    assert client.playlists().list(part="snippet", channelId=sandbox.channel_id).execute()["items"]
    assert client.search().list(part="id", channelId=sandbox.channel_id).execute()["items"]


def test_googles_own_client_understands_a_refusal(sandbox: Sandbox) -> None:
    with pytest.raises(HttpError) as caught:
        google(sandbox, "nobody").channels().list(part="id", id="x").execute()
    assert caught.value.status_code == 400
    assert "API key not valid" in caught.value.reason
    with pytest.raises(HttpError) as caught:
        google(sandbox).playlistItems().list(part="id", playlistId="PLnothing").execute()
    assert caught.value.error_details[0]["reason"] == "playlistNotFound"


@pytest.mark.parametrize(
    "query",
    [
        {"id": "UCWZlWK0ear36VjPOYgH0piA"},
        {"forHandle": "@Tonspur-Demo"},
        {"forHandle": "tonspur-demo"},
        {"forUsername": "tonspurdemo"},
    ],
)
def test_a_channel_is_found_by_each_of_its_names(
    youtube: httpx.Client, query: dict[str, str]
) -> None:
    parts = "snippet,contentDetails,statistics"
    found = youtube.get("/channels", params={"part": parts, "prettyPrint": "false", **query})
    item = found.json()["items"][0]
    assert item["snippet"]["customUrl"] == "@tonspur-demo"
    assert int(item["statistics"]["videoCount"]) == 7


def test_an_unknown_channel_is_an_answer_without_items(youtube: httpx.Client) -> None:
    answer = youtube.get("/channels", params={"part": "id", "forHandle": "@nobody"})
    assert answer.status_code == 200
    assert "items" not in answer.json()


def test_pages_follow_each_other_to_the_end(youtube: httpx.Client) -> None:
    seen: list[str] = []
    query = {"part": "contentDetails", "playlistId": BUSY, "maxResults": "50"}
    for size in (50, 50, 20):
        answer = youtube.get("/playlistItems", params=query)
        assert answer.json()["pageInfo"] == {"totalResults": 120, "resultsPerPage": 50}
        assert len(ids_of(answer)) == size
        seen += ids_of(answer)
        query["pageToken"] = answer.json().get("nextPageToken", "")
    assert query["pageToken"] == ""
    assert "prevPageToken" in answer.json()
    assert len(set(seen)) == 120


def test_five_entries_come_unless_more_are_asked_for(youtube: httpx.Client) -> None:
    answer = youtube.get("/playlistItems", params={"part": "contentDetails", "playlistId": BUSY})
    assert len(ids_of(answer)) == 5
    none = {"part": "contentDetails", "playlistId": BUSY, "maxResults": 0}
    empty = youtube.get("/playlistItems", params=none)
    assert empty.json()["items"] == []
    assert "nextPageToken" not in empty.json()


def test_the_variants_of_the_uploads_hold_their_kind_alone(youtube: httpx.Client) -> None:
    def listed(playlist: str) -> list[str]:
        query = {"part": "contentDetails", "playlistId": playlist, "maxResults": 50}
        return ids_of(youtube.get("/playlistItems", params=query))

    tail = UPLOADS[2:]
    assert listed(f"UUSH{tail}") == ["uF_C5ANi1Hk"]
    assert listed(f"UULV{tail}") == ["_rTgUsZQLYw"]
    assert "uF_C5ANi1Hk" not in listed(f"UULF{tail}")
    assert sorted(listed(UPLOADS)) == sorted(
        listed(f"UULF{tail}") + listed(f"UUSH{tail}") + listed(f"UULV{tail}")
    )


def test_an_empty_variant_does_not_exist(youtube: httpx.Client) -> None:
    query = {"part": "id", "playlistId": f"UUSH{BUSY[2:]}"}
    answer = youtube.get("/playlistItems", params=query)
    assert (answer.status_code, reason(answer)) == (404, "playlistNotFound")


def test_private_and_unknown_videos_are_silently_absent(youtube: httpx.Client) -> None:
    query = {"part": "id", "id": "-Z-2qeJBjh8,AAAAAAAAAAA,eNz-6p5YUbY"}
    answer = youtube.get("/videos", params=query)
    assert [item["id"] for item in answer.json()["items"]] == ["eNz-6p5YUbY"]
    assert youtube.get("/videos", params={"part": "id", "id": "AAAAAAAAAAA"}).json()["items"] == []


def test_a_private_entry_of_a_list_shows_no_date_and_no_title(youtube: httpx.Client) -> None:
    query = {"part": "snippet,contentDetails,status", "playlistId": UPLOADS, "maxResults": 50}
    items = youtube.get("/playlistItems", params=query).json()["items"]
    hidden = next(item for item in items if item["contentDetails"]["videoId"] == "-Z-2qeJBjh8")
    assert hidden["snippet"]["title"] == "Private video"
    assert "videoPublishedAt" not in hidden["contentDetails"]
    assert hidden["status"] == {"privacyStatus": "private"}


def test_obstacles_show_in_the_details_of_a_video(youtube: httpx.Client) -> None:
    parts = "snippet,contentDetails,status,statistics,liveStreamingDetails"
    ids = "-SE7D6ezK4M,_rTgUsZQLYw,o-xdN_dQ0Pg,yCZOXSE6r_s,juuA-GJZc08,eNz-6p5YUbY"
    items = youtube.get("/videos", params={"part": parts, "id": ids}).json()["items"]
    soon, live, adult, region, processing, plain = items
    assert soon["snippet"]["liveBroadcastContent"] == "upcoming"
    assert soon["contentDetails"]["duration"] == "P0D"
    start = datetime.fromisoformat(soon["liveStreamingDetails"]["scheduledStartTime"])
    assert start > datetime.now(UTC)
    assert live["snippet"]["liveBroadcastContent"] == "live"
    assert "actualStartTime" in live["liveStreamingDetails"]
    assert adult["contentDetails"]["contentRating"] == {"ytRating": "ytAgeRestricted"}
    assert region["contentDetails"]["regionRestriction"] == {"allowed": ["AQ"]}
    assert processing["status"]["uploadStatus"] == "uploaded"
    assert plain["contentDetails"]["duration"].startswith("PT3")
    assert "liveStreamingDetails" not in plain
    assert plain["statistics"]["viewCount"] == "1204"


def test_only_the_parts_that_were_asked_for_come(youtube: httpx.Client) -> None:
    items = youtube.get("/videos", params={"part": "status", "id": "eNz-6p5YUbY"}).json()["items"]
    assert set(items[0]) == {"kind", "etag", "id", "status"}


def test_a_list_made_by_hand_keeps_its_order(sandbox: Sandbox, youtube: httpx.Client) -> None:
    made = sandbox.spec.channels[0].playlists[0]
    query = {"part": "snippet,contentDetails,status", "id": made.id}
    item = youtube.get("/playlists", params=query).json()["items"][0]
    assert item["contentDetails"]["itemCount"] == 2
    listed = youtube.get("/playlistItems", params={"part": "contentDetails", "playlistId": made.id})
    assert ids_of(listed) == list(made.videos)
    unknown = youtube.get("/playlists", params={"part": "id", "channelId": "UC" + "x" * 22})
    assert unknown.status_code == 404


def test_a_search_is_ordered_and_bounded_by_date(sandbox: Sandbox, youtube: httpx.Client) -> None:
    base = {"part": "snippet", "channelId": sandbox.channel_id, "maxResults": "2", "type": "video"}

    def found(**more: str) -> list[str]:
        items = youtube.get("/search", params=base | more).json()["items"]
        return [item["id"]["videoId"] for item in items]

    assert found(order="viewCount") == ["uF_C5ANi1Hk", "_ssYRms24yg"]
    assert found(order="date", publishedBefore="2024-06-01T00:00:00Z") == [
        "_ssYRms24yg",
        "eNz-6p5YUbY",
    ]
    assert found(q="stone bridge", order="title") == ["3zzJ-VIp9Y0"]
    assert found(publishedAfter="2099-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("route", "query", "why"),
    [
        ("/channels", {"part": "id"}, MISSING),
        ("/channels", {"id": "x"}, MISSING),
        ("/channels", {"part": "id", "id": "x", "forHandle": "y"}, "incompatibleParameters"),
        ("/videos", {"part": "nonsense", "id": "x"}, "unknownPart"),
        ("/videos", {"part": "id", "id": ",".join(map(str, range(51)))}, "invalidFilters"),
        (
            "/playlistItems",
            ENTRIES | {"maxResults": "51"},
            "invalidParameter",
        ),
        (
            "/playlistItems",
            ENTRIES | {"maxResults": "-1"},
            "invalidParameter",
        ),
        (
            "/playlistItems",
            ENTRIES | {"pageToken": "zzz"},
            "invalidPageToken",
        ),
        (
            "/playlistItems",
            ENTRIES | {"pageToken": "é"},
            "invalidPageToken",
        ),
        ("/search", {"part": "id", "channelId": "x", "publishedAfter": "now"}, "invalidParameter"),
        ("/search", {"part": "id", "channelId": "x", "order": "odd"}, "invalidParameter"),
    ],
)
def test_a_bad_question_is_refused_with_googles_reason(
    youtube: httpx.Client, sandbox: Sandbox, route: str, query: dict[str, str], why: str
) -> None:
    if query.get("channelId") == "x":
        query = query | {"channelId": sandbox.channel_id}
    answer = youtube.get(route, params=query)
    assert (answer.status_code, reason(answer)) == (400, why)


def test_a_page_token_of_another_list_is_refused(youtube: httpx.Client) -> None:
    query = {"part": "id", "playlistId": BUSY}
    token = youtube.get("/playlistItems", params=query).json()["nextPageToken"]
    other = {"part": "id", "playlistId": UPLOADS, "pageToken": token}
    answer = youtube.get("/playlistItems", params=other)
    assert reason(answer) == "invalidPageToken"


def test_an_answer_that_the_client_has_is_not_sent_again(youtube: httpx.Client) -> None:
    query = {"part": "snippet", "id": "eNz-6p5YUbY"}
    tag = youtube.get("/videos", params=query).headers["etag"]
    again = youtube.get("/videos", params=query, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_no_key_and_an_unknown_key_are_refused_as_google_does(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/youtube/v3/channels?part=id&id=x"
    missing = httpx.get(address)
    assert missing.status_code == 403
    assert missing.json()["error"]["status"] == "PERMISSION_DENIED"
    unknown = httpx.get(address, params={"part": "id", "id": "x", "key": "nobody"})
    assert unknown.status_code == 400
    assert unknown.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_a_key_without_units_is_refused_and_bad_questions_cost_too(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=f"{sandbox.url}/youtube/v3") as client:
        assert client.get("/channels", params={"key": "poor"}).status_code == 400
        query = {"key": "poor", "part": "id", "id": "x"}
        assert client.get("/channels", params=query).status_code == 200
        spent = client.get("/channels", params=query)
        search = {"key": "poor", "part": "id", "channelId": sandbox.channel_id}
        assert client.get("/search", params=search).status_code == 200
        assert client.get("/search", params=search).status_code == 403
    assert (spent.status_code, reason(spent)) == (403, "quotaExceeded")
    assert spent.json()["error"]["errors"][0]["domain"] == "youtube.quota"
    assert sandbox.counts().units["poor"] == 2
    assert sandbox.counts().searches["poor"] == 1


def test_units_are_counted_per_key(sandbox: Sandbox, youtube: httpx.Client) -> None:
    before = sandbox.counts().units.get("rich", 0)
    for _ in range(3):
        youtube.get("/videos", params={"part": "id", "id": "eNz-6p5YUbY"})
    assert sandbox.counts().units["rich"] == before + 3


def test_the_answers_are_json_in_utf8(youtube: httpx.Client) -> None:
    query = {"part": "snippet", "id": "OowJFXS_-5Y"}
    raw = youtube.get("/videos", params=query).content
    assert "früher" in json.loads(raw.decode("utf-8"))["items"][0]["snippet"]["title"]
