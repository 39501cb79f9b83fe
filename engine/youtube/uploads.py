"""A channel's uploads, newest first: of all kinds, or of those that a selection wants.

YouTube keeps a list of its own for each kind, beside the one of all uploads (UU…). Google does not
document them; where none of the wanted ones answers, the list of all stands in for them.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import NetworkTrouble, ServiceTrouble
from engine.settings import Settings
from engine.youtube import feed
from engine.youtube.answers import Channel, Entry
from engine.youtube.catalog import Catalog
from engine.youtube.selection import Selection

_LONG, _SHORTS, _STREAMS = "UULF", "UUSH", "UULV"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Newest:
    """What the feeds tell, newest first.

    `since`: nothing that was published from then on is missing; None: nothing at all is.
    `by_kind`: YouTube's lists hold wanted kinds only.
    """

    entries: tuple[Entry, ...]
    since: datetime | None
    by_kind: bool


def kinds(selection: Selection) -> tuple[str, ...]:
    """The beginnings of the lists that hold what the selection wants; empty: every kind."""
    shorts, streams = selection.shorts, selection.streams
    if shorts == streams == "with":
        return ()
    wanted = {
        _LONG: "only" not in (shorts, streams),
        _SHORTS: shorts != "without" and streams != "only",
        _STREAMS: streams != "without" and shorts != "only",
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted)


def newest(channel: Channel, wanted: Sequence[str], settings: Settings) -> Newest | None:
    """What the feeds tell, without key and quota; None while they are out of order."""
    try:
        if wanted and (found := _of_kinds(channel, wanted, settings)):
            return found
        whole = feed.newest(channel.channel_id, settings)
    except (NetworkTrouble, ServiceTrouble):
        return None  # for hours at times; the API answers the same for a unit
    return None if whole is None else Newest(tuple(whole), _since(whole), by_kind=False)


def listed(
    channel: Channel, wanted: Sequence[str], catalog: Catalog
) -> tuple[Iterator[Entry], bool]:
    """The Data API's lists, merged; a page is asked for when it is wanted.

    Returns:
        The entries, and whether YouTube's lists hold wanted kinds only.
    """
    if wanted:
        merged = _merged(catalog.uploads(channel, name) for name in wanted)
        first = next(merged, None)
        if first is not None:
            return _with_first(first, merged), True
    return _flat(catalog.uploads(channel)), False


def _of_kinds(channel: Channel, wanted: Sequence[str], settings: Settings) -> Newest | None:
    feeds = [feed.newest(name + channel.channel_id[2:], settings) for name in wanted]
    there = [found for found in feeds if found is not None]
    if not there:
        return None
    # With one of them there, another that is not is empty.
    horizons = [since for found in there if (since := _since(found))]
    entries = sorted((entry for found in there for entry in found), key=_when, reverse=True)
    return Newest(tuple(entries), max(horizons, default=None), by_kind=True)


def _since(entries: Sequence[Entry]) -> datetime | None:
    """From when on a feed is complete; a short one is complete altogether."""
    return _when(entries[-1]) if len(entries) >= feed.LENGTH else None


def _merged(lists: Iterable[Iterator[list[Entry]]]) -> Iterator[Entry]:
    dated = (_dated(_flat(pages)) for pages in lists)
    return (entry for _, entry in heapq.merge(*dated, key=lambda pair: pair[0], reverse=True))


def _dated(entries: Iterable[Entry]) -> Iterator[tuple[datetime, Entry]]:
    """Each with a date; one without has that of the one before."""
    last = datetime.max.replace(tzinfo=UTC)
    for entry in entries:
        last = entry.published_at or last
        yield last, entry


def _flat(pages: Iterable[list[Entry]]) -> Iterator[Entry]:
    return (entry for page in pages for entry in page)


def _with_first(first: Entry, rest: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from rest


def _when(entry: Entry) -> datetime:
    return entry.published_at or _LONG_AGO
