"""From a channel and a selection to the videos that are new, with what is known about each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from types import MappingProxyType

from engine.settings import Settings
from engine.video import Video
from engine.youtube import uploads
from engine.youtube.answers import WATCH_PAGE, Channel, Entry
from engine.youtube.catalog import PAGE, Catalog
from engine.youtube.filters import refuses, refuses_title
from engine.youtube.quota import now_utc
from engine.youtube.selection import Selection, Window, window
from engine.youtube.verdicts import Planned, absent, judged, viewer
from engine.youtube.verdicts import obstacle as obstacle  # part of what a plan says

_OLD_IN_A_ROW = 10
"""Entries before the start after which paging stops: the order of uploads is not strict."""
_UNKNOWN_DATE = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Mapping[str, Planned] = MappingProxyType({})


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
    remembered: Mapping[str, Planned] = _NOTHING,
    first: int | None = None,
    clock: Callable[[], datetime] = now_utc,
    zone: tzinfo | None = None,
) -> Plan:
    """The videos of a selection that the library does not know, each with a verdict.

    Units: none when the feed shows nothing new; else one per 50 new videos, and one per page of 50
    that had to be read. Most viewed asks about every upload: one more per 50.

    Args:
        channel: whose videos.
        selection: which of them.
        known_ids: videos that are in the library; all that is older was dealt with.
        catalog: the Data API.
        settings: the feed's address, who watches, the backlog cap.
        remembered: verdicts of earlier syncs that still hold; these videos are not asked about, and
            all that is older than one of them was dealt with.
        first: how many of the newest the first sync takes; None: the backlog cap.
        clock: the present, in UTC.
        zone: of the selection's days; None: the system's.

    Raises:
        UnknownPlaylist: the selection's playlist.
        TonspurError: what the catalog raises; nothing is planned then.
    """
    asked = _Question(
        channel, selection, window(selection, zone), known_ids, remembered, catalog, settings
    )
    entries = asked.entries(settings.yt_backlog_cap if first is None else first)
    asked.look_up(entries)
    who = viewer(settings, clock())

    def planned(entry: Entry) -> Planned:
        if entry.video_id in remembered:
            return remembered[entry.video_id]
        video = asked.described(entry)
        if said := asked.left_out(entry):
            return Planned(video or asked.as_listed(entry), "skipped", said)
        return judged(video, who) if video else absent(asked.as_listed(entry))

    new = tuple(planned(entry) for entry in entries if entry.video_id not in known_ids)
    return Plan(new, tuple(entry.video_id for entry in entries if entry.video_id in known_ids))


class _Question:
    """One selection of one channel, and what was found out on the way to its answer."""

    def __init__(
        self,
        channel: Channel,
        selection: Selection,
        span: Window,
        known: AbstractSet[str],
        remembered: Mapping[str, Planned],
        catalog: Catalog,
        settings: Settings,
    ) -> None:
        self._channel = channel
        self._selection = selection
        self._span = span
        self._known = known
        self._remembered = remembered
        self._catalog = catalog
        self._settings = settings
        self._kinds = uploads.kinds(selection)
        self._by_kind = False
        self._asked: set[str] = set()
        self._videos: dict[str, Video] = {}

    def entries(self, first: int) -> list[Entry]:
        """What the selection meets, known ones too; `first` counts when nothing is known."""
        chosen = self._selection
        if chosen.most_viewed:
            return self._most_viewed(chosen.most_viewed)
        if chosen.playlist:
            pages = self._catalog.playlist(chosen.playlist)
            return [e for page in pages for e in page if self._span.holds(e.published_at)]
        if chosen.latest:
            return self._first(self._uploads(), chosen.latest)
        return self._new_ones(first) if chosen.is_default else [*self._uploads()]

    def look_up(self, entries: Iterable[Entry], *, known_too: bool = False) -> None:
        """Asks what videos.list knows about those that are not known by other ways."""
        wanted = [
            entry.video_id
            for entry in entries
            if (known_too or not self._needless(entry)) and entry.video_id not in self._asked
        ]
        self._asked.update(wanted)
        self._videos |= self._catalog.videos(wanted)

    def described(self, entry: Entry) -> Video | None:
        """What videos.list told; None: it does not show the video, or was not asked."""
        video = self._videos.get(entry.video_id)
        if video and video.channel_id == self._channel.channel_id and self._channel.handle:
            return video.model_copy(update={"channel_handle": self._channel.handle})
        return video

    @staticmethod
    def as_listed(entry: Entry) -> Video:
        """What the list alone tells."""
        return Video(
            video_id=entry.video_id,
            published_at=entry.published_at or _UNKNOWN_DATE,
            title=entry.title,
            webpage_url=WATCH_PAGE.format(id=entry.video_id),
        )

    def left_out(self, entry: Entry) -> str | None:
        """Which filter leaves the video out."""
        video = self._videos.get(entry.video_id)
        if video:
            return refuses(self._selection, video, sorted_by_youtube=self._by_kind)
        hidden = entry.video_id in self._asked
        return None if hidden else refuses_title(self._selection, entry.title)

    def _needless(self, entry: Entry) -> bool:
        told = entry.video_id in self._known or entry.video_id in self._remembered
        return told or refuses_title(self._selection, entry.title) is not None

    def _uploads(self) -> Iterator[Entry]:
        """The uploads inside of the span; pages beyond its start are not asked for."""
        entries, self._by_kind = uploads.listed(self._channel, self._kinds, self._catalog)
        old_in_a_row = 0
        for entry in entries:
            if self._span.is_before(entry.published_at):
                old_in_a_row += 1
                if old_in_a_row >= _OLD_IN_A_ROW:
                    return
            elif entry.published_at:
                old_in_a_row = 0
            if self._span.holds(entry.published_at):
                yield entry

    def _first(self, entries: Iterator[Entry], number: int) -> list[Entry]:
        """Up to the `number`th that no filter leaves out."""
        met: list[Entry] = []
        fitting = 0
        narrow = any(self._selection.filters[name] for name in ("shortest", "longest", "title"))
        while fitting < number and (batch := [*islice(entries, PAGE if narrow else number)]):
            self.look_up(batch)
            for entry in batch:
                met.append(entry)
                fitting += self._fits(entry)
                if fitting == number:
                    break
        return met

    def _fits(self, entry: Entry) -> bool:
        before = self._remembered.get(entry.video_id)
        if before is not None:
            return not (before.reason or "").startswith("filter:")
        return entry.video_id in self._known or self.left_out(entry) is None

    def _most_viewed(self, number: int) -> list[Entry]:
        """Ranked over all uploads, known ones too: else every sync would bring the next ones."""
        entries = {entry.video_id: entry for entry in self._uploads()}
        self.look_up(entries.values(), known_too=True)
        shown = [entry for entry in entries.values() if entry.video_id in self._videos]
        fitting = [entry for entry in shown if self._fits(entry)]
        views = {e.video_id: self._videos[e.video_id].view_count or 0 for e in fitting}
        return sorted(fitting, key=lambda e: views[e.video_id], reverse=True)[:number]

    def _new_ones(self, first: int) -> list[Entry]:
        """What is newer than the newest known one; the newest ones where none is known."""
        if not self._known and not self._remembered:
            return self._first(self._uploads(), first)
        if (fresh := self._from_feed()) is not None:
            return fresh
        met = self._down_to_known(self._uploads())
        if self._reaches_known(met) or self._span.start:
            return met
        # Nothing that we know is there any more: as if it were the first time.
        return met[:first]

    def _from_feed(self) -> list[Entry] | None:
        """The same from the feed alone; None when the feed does not reach back far enough."""
        told = uploads.newest(self._channel, self._kinds, self._settings)
        if told is None:
            return None
        met = self._down_to_known(told.entries)
        if not self._reaches_known(met):
            return None
        oldest = met[-1].published_at
        if told.since and oldest and oldest < told.since:
            return None
        self._by_kind = told.by_kind
        return [e for e in met if e.video_id in self._known or self._span.holds(e.published_at)]

    def _down_to_known(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries up to the first known one, that one included.

        Where none is known, up to the last of those that an earlier sync left out.
        """
        met: list[Entry] = []
        reached = 0
        for entry in entries:
            met.append(entry)
            if entry.video_id in self._known:
                return met
            if entry.video_id in self._remembered:
                reached = len(met)
            elif reached and len(met) - reached >= _OLD_IN_A_ROW:
                break
        return met[:reached] if reached else met

    def _reaches_known(self, met: list[Entry]) -> bool:
        return bool(met) and (met[-1].video_id in self._known | self._remembered.keys())
