"""Channels, videos and playlists as the Data API writes them."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine.video import iso_duration
from sandbox.spec import SandboxChannel, SandboxVideo
from sandbox.world import Playlist

Item = dict[str, Any]
_SIZES = {"default": (120, 90), "medium": (320, 180), "high": (480, 360)}
_FILES = {"default": "default", "medium": "mqdefault", "high": "hqdefault"}
_PRIVATE = {"title": "Private video", "description": "This video is private."}


def stamp(moment: datetime) -> str:
    """RFC 3339 as Google writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def etag(content: object) -> str:
    """A tag that changes with the content."""
    raw = json.dumps(content, sort_keys=True, default=str).encode()
    return hashlib.sha256(raw).hexdigest()[:27]


def thumbnails(video_id: str) -> Item:
    """Addresses of a video's pictures."""
    return {
        name: {
            "url": f"https://i.ytimg.com/vi/{video_id}/{_FILES[name]}.jpg",
            "width": width,
            "height": height,
        }
        for name, (width, height) in _SIZES.items()
    }


def with_parts(
    kind: str, id_: object, parts: set[str], makers: dict[str, Callable[[], Item]]
) -> Item:
    """An item with the parts that were asked for, and its etag."""
    item: Item = {"kind": f"youtube#{kind}", "etag": "", "id": id_}
    for name, make in makers.items():
        if name in parts:
            made = make()
            if made:
                item[name] = made
    item["etag"] = etag(item)
    return item


def channel_item(channel: SandboxChannel, videos: list[SandboxVideo], parts: set[str]) -> Item:
    """A channel of channels.list."""

    def snippet() -> Item:
        text = {"title": channel.title, "description": channel.description}
        return {
            **text,
            "customUrl": channel.handle.lower(),
            "publishedAt": "2023-06-01T12:00:00Z",
            "thumbnails": thumbnails(channel.id),
            "localized": text,
        }

    def statistics() -> Item:
        return {
            "viewCount": str(sum(video.views for video in videos)),
            "subscriberCount": "1230",
            "hiddenSubscriberCount": False,
            "videoCount": str(sum(video.has_media for video in videos)),
        }

    def content() -> Item:
        return {"relatedPlaylists": {"likes": "", "uploads": f"UU{channel.id[2:]}"}}

    makers = {"snippet": snippet, "contentDetails": content, "statistics": statistics}
    return with_parts("channel", channel.id, parts, makers)


def video_item(
    channel: SandboxChannel, video: SandboxVideo, seconds: float, parts: set[str]
) -> Item:
    """A video of videos.list; `seconds` is its length, 0 for none yet."""
    makers = {
        "snippet": lambda: _snippet(channel, video),
        "contentDetails": lambda: _content(video, seconds),
        "status": lambda: _status(video),
        "statistics": lambda: {
            "viewCount": str(video.views),
            "likeCount": str(video.likes),
            "favoriteCount": "0",
            "commentCount": str(video.likes // 5),
        },
        "liveStreamingDetails": lambda: _live(video),
    }
    return with_parts("video", video.id, parts, makers)


def _snippet(channel: SandboxChannel, video: SandboxVideo) -> Item:
    text = {"title": video.title, "description": video.description}
    live = video.obstacle if video.obstacle in ("upcoming", "live") else "none"
    snippet = {
        "publishedAt": stamp(video.published),
        "channelId": channel.id,
        **text,
        "thumbnails": thumbnails(video.id),
        "channelTitle": channel.title,
        "tags": list(video.tags),
        "categoryId": "27",
        "liveBroadcastContent": live,
        "localized": text,
        "defaultAudioLanguage": video.language,
    }
    return {name: value for name, value in snippet.items() if value != []}


def _content(video: SandboxVideo, seconds: float) -> Item:
    content: Item = {
        "duration": iso_duration(seconds) if seconds else "P0D",
        "dimension": "2d",
        "definition": "hd",
        "caption": "false",
        "licensedContent": False,
        "contentRating": {"ytRating": "ytAgeRestricted"} if video.obstacle == "age" else {},
        "projection": "rectangular",
    }
    if video.obstacle == "region":
        content["regionRestriction"] = {"allowed": ["AQ"]}
    return content


def _status(video: SandboxVideo) -> Item:
    return {
        "uploadStatus": "uploaded" if video.obstacle == "processing" else "processed",
        "privacyStatus": "public",
        "license": "youtube",
        "embeddable": True,
        "publicStatsViewable": True,
        "madeForKids": False,
    }


def _live(video: SandboxVideo) -> Item:
    if not video.scheduled:
        return {}
    details = {"scheduledStartTime": stamp(video.scheduled)}
    if video.obstacle != "upcoming":
        details["actualStartTime"] = stamp(video.scheduled)
    return details


def entry_item(playlist: Playlist, position: int, parts: set[str]) -> Item:
    """An entry of playlistItems.list."""
    video, channel = playlist.videos[position], playlist.channel
    hidden = video.obstacle == "private"
    published = {} if hidden else {"videoPublishedAt": stamp(video.published)}

    def snippet() -> Item:
        text = {"title": video.title, "description": video.description}
        return {
            "publishedAt": stamp(video.published),
            "channelId": channel.id,
            **(_PRIVATE if hidden else text),
            "thumbnails": {} if hidden else thumbnails(video.id),
            "channelTitle": channel.title,
            "playlistId": playlist.id,
            "position": position,
            "resourceId": {"kind": "youtube#video", "videoId": video.id},
            **({} if hidden else {"videoOwnerChannelTitle": channel.title}),
            **({} if hidden else {"videoOwnerChannelId": channel.id}),
        }

    makers: dict[str, Callable[[], Item]] = {
        "snippet": snippet,
        "contentDetails": lambda: {"videoId": video.id, **published},
        "status": lambda: {"privacyStatus": "private" if hidden else "public"},
    }
    return with_parts("playlistItem", etag([playlist.id, video.id]), parts, makers)


def playlist_item(playlist: Playlist, parts: set[str]) -> Item:
    """A playlist of playlists.list."""

    def snippet() -> Item:
        newest = max((video.published for video in playlist.videos), default=datetime.now(UTC))
        text = {"title": playlist.title, "description": playlist.description}
        return {
            "publishedAt": stamp(newest),
            "channelId": playlist.channel.id,
            **text,
            "thumbnails": thumbnails(playlist.videos[0].id) if playlist.videos else {},
            "channelTitle": playlist.channel.title,
            "localized": text,
        }

    makers: dict[str, Callable[[], Item]] = {
        "snippet": snippet,
        "contentDetails": lambda: {"itemCount": len(playlist.videos)},
        "status": lambda: {"privacyStatus": "public"},
    }
    return with_parts("playlist", playlist.id, parts, makers)


def hit_item(channel: SandboxChannel, video: SandboxVideo, parts: set[str]) -> Item:
    """A hit of search.list."""
    shown = _snippet(channel, video)
    kept = ("publishedAt", "channelId", "title", "description", "thumbnails", "channelTitle")
    snippet = {name: shown[name] for name in (*kept, "liveBroadcastContent")}
    makers = {"snippet": lambda: snippet}
    return with_parts("searchResult", {"kind": "youtube#video", "videoId": video.id}, parts, makers)
