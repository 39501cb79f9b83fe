"""A channel's RSS feed: its newest 15 videos, without key and quota."""

from datetime import datetime
from urllib.parse import urlencode
from xml.etree import ElementTree

from engine.errors import ServiceTrouble
from engine.settings import Settings
from engine.youtube import transport
from engine.youtube.answers import Entry, utc

LENGTH = 15
"""Entries that YouTube puts into a feed at most."""
_LARGEST = 2 * 1024 * 1024
_ATOM = "{http://www.w3.org/2005/Atom}"
_YT = "{http://www.youtube.com/xml/schemas/2015}"


def newest(list_id: str, settings: Settings) -> list[Entry] | None:
    """The entries of a channel's feed, or of a list that YouTube keeps; newest first, 15 at most.

    None: YouTube answers 404. It does so for a list that holds nothing, but at times for hours
    also for channels that exist, so this says nothing by itself.

    Args:
        list_id: a channel (`UC…`) or a playlist.
        settings: the feed's address.

    Raises:
        NetworkTrouble: no connection.
        ServiceTrouble: no feed, which says nothing about the channel either.
    """
    name = "channel_id" if list_id.startswith("UC") else "playlist_id"
    joint = "&" if "?" in settings.yt_feed_url else "?"
    url = f"{settings.yt_feed_url}{joint}{urlencode({name: list_id})}"
    with transport.client() as http:
        reply = transport.fetch(http, url, {"accept": "application/atom+xml"}, largest=_LARGEST)
    if reply.status == 404:
        return None
    if reply.status != 200:
        raise ServiceTrouble(f"YouTube's feed of {list_id} answers HTTP {reply.status}.")
    return entries(reply.content)


def entries(content: bytes) -> list[Entry]:
    """The readable entries of a feed, newest first.

    Raises:
        ServiceTrouble: it is no XML, or tries to declare a document type or entities.
    """
    try:
        # Decoded first: in another encoding a declaration would pass the look at the bytes.
        text = content.decode("utf-8-sig")
        if "<!doctype" in text.lower() or "<!entity" in text.lower():
            raise ServiceTrouble("YouTube's feed declares entities; it is not read.")
        root = ElementTree.fromstring(text)  # noqa: S314  # entities are refused above
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise ServiceTrouble(f"YouTube's feed cannot be read: {type(error).__name__}.") from None
    found = [entry for node in root.iter(f"{_ATOM}entry") if (entry := _entry(node))]
    return sorted(found, key=_age)[:LENGTH]


def _entry(node: ElementTree.Element) -> Entry | None:
    video_id = (node.findtext(f"{_YT}videoId") or "").strip()
    published = (node.findtext(f"{_ATOM}published") or "").strip()
    if len(video_id) != 11 or not video_id.replace("-", "").replace("_", "").isalnum():
        return None
    try:
        at = utc(datetime.fromisoformat(published))
    except (ValueError, OverflowError):
        return None
    return Entry(video_id, at, (node.findtext(f"{_ATOM}title") or "").strip())


def _age(entry: Entry) -> float:
    return -entry.published_at.timestamp() if entry.published_at else 0.0
