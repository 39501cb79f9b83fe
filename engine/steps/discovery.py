"""What a sync has to do: the channel, its new videos, and what each of them costs or lacks."""

from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import QuotaUsedUp
from engine.library.outcome import Outcome
from engine.library.shelf import Entry, Library
from engine.library.standing import standing
from engine.settings import Settings
from engine.steps import remembrance
from engine.steps.channels import known_channel
from engine.youtube import addresses
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.plan import discover
from engine.youtube.selection import Selection
from engine.youtube.verdicts import Planned, judged, viewer


@dataclass(frozen=True)
class Found:
    """What discovery found.

    `planned`: first the new ones, oldest first, so that an interruption leaves no hole; then those
    that no run brought to an end yet. `left_out`: new ones that are not to be processed, or not
    yet. `hindered`: known ones that an obstacle stands in the way of.
    """

    address: str
    channel: Channel
    selection: Selection
    planned: tuple[Planned, ...]
    left_out: tuple[Planned, ...]
    hindered: tuple[Planned, ...]
    seen: int
    quota_units: int
    quota_searches: int

    @property
    def new(self) -> int:
        """Videos that the library has nothing finished of."""
        return len(self.planned) + len(self.left_out)


def find_videos(
    address: str,
    selection: Selection,
    library: Library,
    settings: Settings,
    cap: int | None = None,
) -> Found:
    """Find the videos of a selection that the library does not know.

    Args:
        address: the channel's.
        selection: which of its videos.
        library: what is there already.
        settings: keys, addresses, who watches.
        cap: how many of the newest the first sync takes; None: YT_BACKLOG_CAP.

    Raises:
        BadAddress, UnknownChannel, UnknownPlaylist: there is nothing to look at.
        QuotaUsedUp: deferred until the keys have units again.
        MissingCredentials: no API key is set.
    """
    with Catalog(settings) as catalog:
        try:
            return _found(address, selection, library, settings, cap, catalog)
        except QuotaUsedUp as error:
            error.spent = catalog.units
            raise


def _found(
    address: str,
    selection: Selection,
    library: Library,
    settings: Settings,
    cap: int | None,
    catalog: Catalog,
) -> Found:
    now = datetime.now(UTC)
    channel = known_channel(address, library) or catalog.channel(addresses.channel(address))
    folder = library.folder_of_channel(channel.channel_id)
    there = standing(library, folder)
    waiting = {entry.video_id: entry for entry in there.waiting}
    plan = discover(
        channel,
        selection,
        there.ended | waiting.keys(),
        catalog,
        settings,
        remembered=remembrance.of(folder, selection, settings, now),
        first=cap,
    )
    met = set(plan.known)
    again = [e for i, e in waiting.items() if selection.is_default or i in met]
    who = viewer(settings, now)
    known = [judged(library.read(entry).video, who) for entry in again]
    every = [*reversed(plan.items), *known]
    return Found(
        address=address,
        channel=channel,
        selection=selection,
        planned=tuple(item for item in every if item.verdict == "planned"),
        left_out=tuple(item for item in every if item.verdict != "planned"),
        hindered=tuple(_hindered(library, e) for e in there.hindered if e.video_id in met),
        seen=plan.found + sum(entry.video_id not in met for entry in again),
        quota_units=catalog.units,
        quota_searches=catalog.searches,
    )


def as_planned(found: Found, library: Library) -> list[Outcome]:
    """The planned videos as a dry run shows them, with the transcript that each would have."""
    entries = library.expected(item.video for item in found.planned)
    return [
        Outcome(
            video_id=item.video.video_id,
            title=item.video.title,
            status="planned",
            transcript=entry.text,
            duration_s=item.video.duration_s,
        )
        for item, entry in zip(found.planned, entries, strict=True)
    ]


def as_left_out(found: Found) -> list[Outcome]:
    """The videos that are not to be processed, or not yet, with the reason."""
    return [
        Outcome(
            video_id=item.video.video_id,
            title=item.video.title,
            status=item.verdict,
            reason=item.reason,
            duration_s=item.video.duration_s,
        )
        for item in (*found.left_out, *found.hindered)
    ]


def _hindered(library: Library, entry: Entry) -> Planned:
    sidecar = library.read(entry)
    said = [step.error for step in sidecar.steps.values() if step.status == "failed"]
    return Planned(sidecar.video, "skipped", next((error for error in said if error), None))
