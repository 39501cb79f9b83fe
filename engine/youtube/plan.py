"""From a channel and a selection to the videos that are new, with what is known about each."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice

from engine.errors import NetworkTrouble, ServiceTrouble
from engine.settings import Settings
from engine.video import Video
from engine.youtube import feed
from engine.youtube.answers import WATCH_PAGE, Channel, Entry
from engine.youtube.catalog import Catalog
from engine.youtube.quota import now_utc
from engine.youtube.selection import Selection, Window, window
from engine.youtube.verdicts import Planned, Viewer, absent, judged, viewer
from engine.youtube.verdicts import obstacle as obstacle  # part of what a plan says

_OLD_IN_A_ROW = 10
"""Entries before the start after which paging stops: the order of uploads is not strict."""
_UNKNOWN_DATE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What a sync found: `items` are new, newest first; `known` are in the library already.

    Who works off a part takes it from the end: what is left is then newer than all that is known,
    and the next sync finds it.
    """

    items: tuple[Planned, ...] = ()
    known: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Planned]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def found(self) -> int:
        """All that the selection met, known ones too."""
        return len(self.items) + len(self.known)


def discover(
    channel: Channel,
    selection: Selection,
    known_ids: AbstractSet[str],
    catalog: Catalog,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now_utc,
    zone: tzinfo | None = None,
) -> Plan:
    """The videos of a selection that the library does not know, each with a verdict.

    Units: none when the feed shows nothing new; else one per 50 new videos, and one per page of 50
    that had to be read. Most viewed asks about every upload: one more per 50.

    Raises:
        UnknownPlaylist: the selection's playlist.
        TonspurError: what the catalog raises; nothing is planned then.
    """
    span = window(selection, zone)
    if selection.most_viewed:
        entries, videos = _most_viewed(channel, selection.most_viewed, span, catalog)
    else:
        entries, videos = _entries(channel, selection, span, known_ids, catalog, settings), {}
    new = [entry for entry in entries if entry.video_id not in known_ids]
    known = tuple(entry.video_id for entry in entries if entry.video_id in known_ids)
    if new and not selection.most_viewed:
        videos = catalog.videos(entry.video_id for entry in new)
    who = viewer(settings, clock())
    return Plan(tuple(_planned(entry, videos, who, channel) for entry in new), known)


def _entries(
    channel: Channel,
    selection: Selection,
    span: Window,
    known_ids: AbstractSet[str],
    catalog: Catalog,
    settings: Settings,
) -> list[Entry]:
    if selection.is_default:
        return _new_ones(channel, known_ids, catalog, settings)
    if selection.playlist:
        pages = catalog.playlist(selection.playlist)
        return [entry for page in pages for entry in page if span.holds(entry.published_at)]
    return [*islice(_uploads(channel, span, catalog), selection.latest)]


def _uploads(channel: Channel, span: Window, catalog: Catalog) -> Iterator[Entry]:
    """The uploads inside of the span; pages beyond its start are not asked for."""
    old_in_a_row = 0
    for page in catalog.uploads(channel):
        for entry in page:
            if span.is_before(entry.published_at):
                old_in_a_row += 1
            elif entry.published_at:
                old_in_a_row = 0
            if span.holds(entry.published_at):
                yield entry
        if old_in_a_row >= min(_OLD_IN_A_ROW, len(page)):
            return


def _most_viewed(
    channel: Channel, number: int, span: Window, catalog: Catalog
) -> tuple[list[Entry], dict[str, Video]]:
    """Ranked over all uploads, known ones too: else every sync would bring the next ones."""
    entries = {entry.video_id: entry for entry in _uploads(channel, span, catalog)}
    videos = catalog.videos(entries)
    ranked = sorted(videos.values(), key=lambda video: video.view_count or 0, reverse=True)
    return [entries[video.video_id] for video in ranked[:number]], videos


def _new_ones(
    channel: Channel, known_ids: AbstractSet[str], catalog: Catalog, settings: Settings
) -> list[Entry]:
    """What is newer than the newest known one; the newest ones where none is known."""
    everything = Window()
    if not known_ids:
        return [*islice(_uploads(channel, everything, catalog), settings.yt_backlog_cap)]
    try:
        listed = feed.newest(channel.channel_id, settings)
    except (NetworkTrouble, ServiceTrouble):
        listed = []  # the feed is out for hours at times; the API answers the same for a unit
    if any(entry.video_id in known_ids for entry in listed):
        return [*_down_to_known(listed, known_ids)]
    met = [*_down_to_known(_uploads(channel, everything, catalog), known_ids)]
    if met and met[-1].video_id in known_ids:
        return met
    # Nothing that we know is there any more: as if it were the first time.
    return met[: settings.yt_backlog_cap]


def _down_to_known(entries: Iterable[Entry], known_ids: AbstractSet[str]) -> Iterator[Entry]:
    """The entries up to the first known one, that one included."""
    for entry in entries:
        yield entry
        if entry.video_id in known_ids:
            return


def _planned(entry: Entry, videos: dict[str, Video], who: Viewer, channel: Channel) -> Planned:
    video = videos.get(entry.video_id)
    if video is None:
        return absent(
            Video(
                video_id=entry.video_id,
                published_at=entry.published_at or _UNKNOWN_DATE,
                title=entry.title,
                webpage_url=WATCH_PAGE.format(id=entry.video_id),
            )
        )
    if video.channel_id == channel.channel_id and channel.handle:
        video = video.model_copy(update={"channel_handle": channel.handle})
    return judged(video, who)
