"""What a text names on YouTube: a video, a channel or a playlist."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from engine.errors import BadAddress

ChannelKind = Literal["id", "handle", "user", "custom"]

_HOSTS = frozenset(
    f"{prefix}{domain}"
    for domain in ("youtube.com", "youtube-nocookie.com")
    for prefix in ("", "www.", "m.", "music.")
)
_SHORT_HOSTS = frozenset({"youtu.be", "www.youtu.be"})
_VIDEO_PATHS = frozenset({"watch", "shorts", "live", "embed", "v", "e"})
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
_PLAYLIST_ID = re.compile(r"[A-Za-z0-9_-]{2,80}")
_BARE_PLAYLIST_ID = re.compile(r"(?:PL|UU|FL|OL|EC)[A-Za-z0-9_-]{10,78}")
_LONGEST = 2048
_SHOWN = 80


@dataclass(frozen=True)
class VideoAddress:
    """One video."""

    video_id: str


@dataclass(frozen=True)
class ChannelAddress:
    """One channel, by whichever of its names was given; a handle's value carries no `@`."""

    kind: ChannelKind
    value: str


@dataclass(frozen=True)
class PlaylistAddress:
    """One playlist."""

    playlist_id: str


Address = VideoAddress | ChannelAddress | PlaylistAddress


def parse(text: str) -> Address:
    """What `text` names: an address on YouTube, or a bare id or @handle.

    Raises:
        BadAddress: it names nothing there; the message says what was understood.
    """
    given = text.strip()
    if not given:
        raise BadAddress("The address is empty.")
    if len(given) > _LONGEST or any(unicodedata.category(c) in ("Cc", "Cs") for c in given):
        raise BadAddress(f"{_shown(given)} is no address: too long, or with control characters.")
    bare = _bare(given)
    return bare if bare else _from_url(given, _split(given))


def video_id(text: str) -> str:
    """The id of the video that `text` names.

    Raises:
        BadAddress: `text` names something else, or nothing.
    """
    address = parse(text)
    if isinstance(address, VideoAddress):
        return address.video_id
    raise BadAddress(f"{_shown(text)} is {_described(address)}, not a video.")


def channel(text: str) -> ChannelAddress:
    """The channel that `text` names.

    Raises:
        BadAddress: `text` names something else, or nothing.
    """
    address = parse(text)
    if isinstance(address, ChannelAddress):
        return address
    raise BadAddress(
        f"{_shown(text)} is {_described(address)}, not a channel; a handle starts with @."
    )


def playlist(text: str) -> PlaylistAddress:
    """The playlist that `text` names; of a video inside a playlist, that playlist.

    Raises:
        BadAddress: `text` names no playlist.
    """
    address = parse(text)
    if isinstance(address, PlaylistAddress):
        return address
    listed = _query(_split(text.strip()), "list") if isinstance(address, VideoAddress) else None
    if listed:
        return _playlist(text, listed)
    raise BadAddress(f"{_shown(text)} is {_described(address)}, not a playlist.")


def _bare(given: str) -> Address | None:
    if given.startswith("@") and "/" not in given:
        return _handle(given, re.split(r"[?#]", given)[0])
    if _CHANNEL_ID.fullmatch(given):
        return ChannelAddress("id", given)
    if _VIDEO_ID.fullmatch(given):
        return VideoAddress(given)
    if _BARE_PLAYLIST_ID.fullmatch(given):
        return PlaylistAddress(given)
    return None


def _split(given: str) -> SplitResult:
    try:
        if given.startswith("@"):
            return urlsplit(f"https://youtube.com/{given}")
        whole = given if "://" in given.split("?")[0] else f"https://{given.removeprefix('//')}"
        parts = urlsplit(whole)
        parts.port  # noqa: B018  # a port that is no number raises here
        return parts
    except ValueError:
        raise BadAddress(f"{_shown(given)} is no address.") from None


def _from_url(given: str, parts: SplitResult) -> Address:
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme.lower() not in ("http", "https"):
        raise BadAddress(f"{_shown(given)}: an address starts with https://, not {parts.scheme}:.")
    segments = [unquote(part.split("&")[0]) for part in parts.path.split("/") if part]
    if host in _SHORT_HOSTS and segments and segments[0] not in _VIDEO_PATHS:
        return _video(given, segments[0])
    if host not in _HOSTS | _SHORT_HOSTS:
        where = f"an address on {_shown(host)}" if "." in host else "no address, id or @handle"
        raise BadAddress(f"{_shown(given)} is {where}, not on YouTube.")
    if not segments:
        raise BadAddress(f"{_shown(given)} is YouTube's front page.")
    head, value = segments[0], segments[1] if len(segments) > 1 else ""
    if head.startswith("@"):
        return _handle(given, head)
    if head == "playlist" or (head in ("watch", "embed") and _lists_only(parts, value)):
        return _playlist(given, _query(parts, "list") or "")
    if head in _VIDEO_PATHS:
        return _video(given, _query(parts, "v") if head == "watch" and not value else value)
    return _channel(given, head, value)


def _channel(given: str, head: str, value: str) -> ChannelAddress:
    if head == "channel":
        if not _CHANNEL_ID.fullmatch(value):
            raise BadAddress(
                f"{_shown(given)} looks like a channel, but {_shown(value)} is no channel id "
                "(UC and 22 characters)."
            )
        return ChannelAddress("id", value)
    if head in ("c", "user"):
        if not _is_name(value.removeprefix("@")):
            raise BadAddress(f"{_shown(given)} looks like a channel, but without a name.")
        return ChannelAddress("custom" if head == "c" else "user", value.removeprefix("@"))
    raise BadAddress(
        f"{_shown(given)} is a page on YouTube, but no video, channel or playlist; "
        "a channel's handle starts with @."
    )


def _handle(given: str, name: str) -> ChannelAddress:
    if not _is_name(name[1:]):
        raise BadAddress(f"{_shown(given)} looks like a handle, but {_shown(name)} is none.")
    return ChannelAddress("handle", name[1:])


def _video(given: str, value: str | None) -> VideoAddress:
    if not value or not _VIDEO_ID.fullmatch(value):
        said = f"{_shown(value)} is no video id (11 characters)" if value else "it holds no id"
        raise BadAddress(f"{_shown(given)} looks like a video, but {said}.")
    return VideoAddress(value)


def _playlist(given: str, value: str) -> PlaylistAddress:
    if not _PLAYLIST_ID.fullmatch(value):
        said = f"{_shown(value)} is no playlist id" if value else "it holds no list="
        raise BadAddress(f"{_shown(given)} looks like a playlist, but {said}.")
    return PlaylistAddress(value)


def _lists_only(parts: SplitResult, value: str) -> bool:
    named = value not in ("", "videoseries") or _query(parts, "v")
    return not named and _query(parts, "list") is not None


def _query(parts: SplitResult, name: str) -> str | None:
    # An `&` in place of the `?` is common in copied short addresses.
    query = parts.query if parts.query or "&" not in parts.path else parts.path.split("&", 1)[1]
    values = parse_qs(query, max_num_fields=None).get(name)
    return values[0].strip() if values else None


def _is_name(name: str) -> bool:
    # Handles may be of any script, so combining marks (M) belong to them too.
    kinds = (unicodedata.category(c)[0] for c in name)
    return 1 <= len(name) <= 100 and all(
        kind in "LNM" or c in "_-.·" for kind, c in zip(kinds, name, strict=True)
    )


def _described(address: Address) -> str:
    if isinstance(address, VideoAddress):
        return f"a video ({address.video_id})"
    if isinstance(address, ChannelAddress):
        return f"a channel ({address.value})"
    return f"a playlist ({address.playlist_id})"


def _shown(text: str) -> str:
    clean = "".join(c if c.isprintable() else "?" for c in text.strip())
    return f"“{clean[:_SHOWN]}…”" if len(clean) > _SHOWN else f"“{clean}”"
