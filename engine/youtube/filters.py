"""Which videos a selection's filters leave out, and the words for it."""

import re

from engine.video import Video
from engine.youtube.selection import Selection, Take

_SURELY_SHORT_S = 60.0
_LONGEST_SHORT_S = 180.0
"""YouTube takes upright videos of up to three minutes for Shorts (since 15 October 2024)."""
_MARK = "#shorts"


def refuses_title(selection: Selection, title: str) -> str | None:
    """Why a title leaves a video out; None: it does not."""
    if selection.title and not re.search(selection.title, title, re.IGNORECASE):
        return f"filter: the title does not match “{selection.title}”"
    return None


def refuses(selection: Selection, video: Video, *, sorted_by_youtube: bool) -> str | None:
    """Why a video is left out; None: it is not.

    Args:
        selection: its filters.
        video: what videos.list tells.
        sorted_by_youtube: the video comes from a list that holds nothing but wanted kinds. Without
            such a list its length and its words have to tell: videos.list knows no Shorts.
    """
    if said := refuses_title(selection, video.title):
        return said
    if not sorted_by_youtube:
        shorts = _kind("a Short", selection.shorts, _looks_short(video))
        streams = _kind("a live stream", selection.streams, video.scheduled_start_time is not None)
        if said := shorts or streams:
            return said
    return _length(selection, video.duration_s)


def _kind(name: str, take: Take, is_one: bool) -> str | None:
    if take == "without" and is_one:
        return f"filter: {name}"
    return f"filter: not {name}" if take == "only" and not is_one else None


def _looks_short(video: Video) -> bool:
    length = video.duration_s
    if length is None or length > _LONGEST_SHORT_S:
        return False
    return length <= _SURELY_SHORT_S or _MARK in f"{video.title} {video.description}".lower()


def _length(selection: Selection, seconds: float | None) -> str | None:
    if seconds is None:
        return None
    if selection.shortest is not None and seconds < selection.shortest:
        return f"filter: {seconds:.0f} s, shorter than {selection.shortest:g}"
    if selection.longest is not None and seconds > selection.longest:
        return f"filter: {seconds:.0f} s, longer than {selection.longest:g}"
    return None
