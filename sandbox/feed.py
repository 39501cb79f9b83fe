"""RSS: the newest fifteen videos in YouTube's Atom shape."""

import xml.etree.ElementTree as ET  # noqa: S405  # written here, never read
from collections.abc import Iterable
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from sandbox.faults import Struck
from sandbox.spec import SandboxVideo
from sandbox.world import Here, Playlist
from sandbox.youtube_items import stamp, thumbnails

router = APIRouter(include_in_schema=False)

_MOST = 15
_SPACES = {
    "": "http://www.w3.org/2005/Atom",
    "yt": "http://www.youtube.com/xml/schemas/2015",
    "media": "http://search.yahoo.com/mrss/",
}
_SITE = "https://www.youtube.com"
_NOT_LISTED = ("private", "members", "processing")
_GONE = "<html><head><title>Error 404 (Not Found)!!1</title></head><body>404.</body></html>"


@router.get("/feeds/videos.xml")
def feed(
    world: Here,
    struck: Struck,
    channel_id: Annotated[str, Query()] = "",
    playlist_id: Annotated[str, Query()] = "",
) -> Response:
    """The feed of a channel, or of a playlist: by hand made ones show their FIRST fifteen."""
    wanted = playlist_id or (f"UU{channel_id[2:]}" if channel_id.startswith("UC") else "")
    playlist = world.catalogue.playlist(wanted)
    if playlist is None:
        return HTMLResponse(_GONE, status_code=404)
    public = (video for video in playlist.videos if video.obstacle not in _NOT_LISTED)
    listed = islice(public, struck.lags, None)
    shown = (video for video in listed if video.id not in struck.hides)
    document = _document(playlist, islice(shown, _MOST))
    raw = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    headers = {"cache-control": "public, max-age=900"}
    return Response(raw, media_type="text/xml; charset=UTF-8", headers=headers)


def _document(playlist: Playlist, shown: Iterable[SandboxVideo]) -> ET.Element:
    root = ET.Element("feed", {("xmlns:" + k) if k else "xmlns": v for k, v in _SPACES.items()})
    channel = playlist.channel
    page = f"{_SITE}/channel/{channel.id}"
    ET.SubElement(root, "link", rel="self", href=f"http://www.youtube.com/feeds/{playlist.id}")
    _text(root, "id", f"yt:playlist:{playlist.id}")
    _text(root, "yt:playlistId", playlist.id)
    _text(root, "yt:channelId", channel.id)
    _text(root, "title", playlist.title)
    _author(root, channel.title, page)
    _text(root, "published", "2023-06-01T12:00:00+00:00")
    for video in shown:
        _entry(root, playlist, video, page)
    return root


def _entry(root: ET.Element, playlist: Playlist, video: SandboxVideo, page: str) -> None:
    entry = ET.SubElement(root, "entry")
    moment = stamp(video.published).replace("Z", "+00:00")
    link = f"{_SITE}/shorts/{video.id}" if video.short else f"{_SITE}/watch?v={video.id}"
    _text(entry, "id", f"yt:video:{video.id}")
    _text(entry, "yt:videoId", video.id)
    _text(entry, "yt:channelId", playlist.channel.id)
    _text(entry, "title", video.title)
    ET.SubElement(entry, "link", rel="alternate", href=link)
    _author(entry, playlist.channel.title, page)
    _text(entry, "published", moment)
    _text(entry, "updated", moment)
    group = ET.SubElement(entry, "media:group")
    _text(group, "media:title", video.title)
    flash = {"type": "application/x-shockwave-flash", "width": "640", "height": "390"}
    ET.SubElement(group, "media:content", {"url": f"{_SITE}/v/{video.id}?version=3", **flash})
    picture = thumbnails(video.id)["high"]
    size = {name: str(picture[name]) for name in ("width", "height")}
    ET.SubElement(group, "media:thumbnail", {"url": picture["url"], **size})
    _text(group, "media:description", video.description)
    community = ET.SubElement(group, "media:community")
    rating = {"count": str(video.likes), "average": "5.00", "min": "1", "max": "5"}
    ET.SubElement(community, "media:starRating", rating)
    ET.SubElement(community, "media:statistics", views=str(video.views))


def _author(parent: ET.Element, name: str, page: str) -> None:
    author = ET.SubElement(parent, "author")
    _text(author, "name", name)
    _text(author, "uri", page)


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
