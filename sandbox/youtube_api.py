"""The YouTube Data API v3, as far as a reader of channels needs it."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from sandbox.google_errors import bad_parameter, refusal
from sandbox.spec import SandboxChannel, SandboxVideo
from sandbox.world import Playlist
from sandbox.youtube_items import (
    channel_item,
    entry_item,
    hit_item,
    playlist_item,
    video_item,
)
from sandbox.youtube_query import Query, SearchQuery, UnitQuery, answer, paged

router = APIRouter(prefix="/youtube/v3", include_in_schema=False)

_SEARCH_CAP = 500
_NOT_SEARCHED = ("private", "members")


@router.get("/channels")
def channels(query: UnitQuery) -> Response:
    """channels.list by id, handle or user name; unknown ones are silently absent."""
    parts = query.parts()
    name, value = query.one_filter("id", "forHandle", "forUsername")
    found = [channel for channel in query.world.catalogue.channels if _is(channel, name, value)]
    items = [
        channel_item(channel, query.world.catalogue.videos_of(channel), parts) for channel in found
    ]
    return answer(query, "channel", items, len(items))


def _is(channel: SandboxChannel, name: str, value: str) -> bool:
    if name == "id":
        return channel.id in value.split(",")
    if name == "forHandle":
        return channel.handle.lower().lstrip("@") == value.lower().lstrip("@")
    return (channel.username or "").lower() == value.lower()


@router.get("/playlistItems")
def playlist_items(query: UnitQuery) -> Response:
    """playlistItems.list of one playlist, page by page."""
    parts = query.parts()
    _, playlist_id = query.one_filter("playlistId")
    playlist = _known_playlist(query, playlist_id)
    return paged(
        query,
        "playlistItem",
        playlist.id,
        playlist.videos,
        lambda position: entry_item(playlist, position, parts),
    )


def _known_playlist(query: Query, playlist_id: str) -> Playlist:
    found = query.world.catalogue.playlist(playlist_id)
    if found is None:
        raise refusal(
            404,
            "playlistNotFound",
            "The playlist identified with the request's <code>playlistId</code> parameter "
            "cannot be found.",
            "playlistId",
        )
    return found


@router.get("/videos")
def videos(query: UnitQuery) -> Response:
    """videos.list of up to 50 ids; private and unknown ones are silently absent."""
    parts = query.parts()
    query.one_filter("id")
    world = query.world
    found = [known for video_id in query.ids() if (known := world.catalogue.video(video_id))]
    items = [
        video_item(channel, video, world.recordings.seconds(video), parts)
        for channel, video in found
        if video.obstacle != "private"
    ]
    return answer(query, "video", items, len(items))


@router.get("/playlists")
def playlists(query: UnitQuery) -> Response:
    """playlists.list by id, or those of a channel."""
    parts = query.parts()
    name, value = query.one_filter("id", "channelId")
    catalogue = query.world.catalogue
    if name == "id":
        found = [known for one in query.ids() if (known := catalogue.playlist(one))]
    else:
        owners = [channel for channel in catalogue.channels if channel.id == value]
        if not owners:
            raise refusal(404, "channelNotFound", "Channel not found.", "channelId")
        found = catalogue.playlists_of(owners[0])
    return paged(query, "playlist", value, found, lambda at: playlist_item(found[at], parts))


@router.get("/search")
def search(query: SearchQuery) -> Response:
    """search.list of one channel's videos by date, views or title; 500 at most."""
    parts = query.parts()
    _, channel_id = query.one_filter("channelId")
    world = query.world
    found = [
        (channel, video)
        for channel in world.catalogue.channels
        if channel.id == channel_id
        for video in world.catalogue.videos_of(channel)
        if _matches(query, video)
    ]
    order = query.text("order") or "relevance"
    if order == "viewCount":
        found.sort(key=lambda pair: pair[1].views, reverse=True)
    elif order == "title":
        found.sort(key=lambda pair: pair[1].title)
    elif order not in ("date", "relevance"):
        raise bad_parameter("order", f"Invalid value '{order}'.")
    found = found[:_SEARCH_CAP]
    listing = f"{channel_id} {order} {query.text('q')}"
    return paged(query, "search", listing, found, lambda at: hit_item(*found[at], parts))


def _matches(query: Query, video: SandboxVideo) -> bool:
    after, before = _moment(query, "publishedAfter"), _moment(query, "publishedBefore")
    words = (query.text("q") or "").lower().split()
    return (
        video.obstacle not in _NOT_SEARCHED
        and (after is None or video.published >= after)
        and (before is None or video.published < before)
        and all(word in f"{video.title} {video.description}".lower() for word in words)
    )


def _moment(query: Query, name: str) -> datetime | None:
    given = query.text(name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bad_parameter(name, f"Invalid value '{given}'. RFC 3339 is expected.")
    return moment
