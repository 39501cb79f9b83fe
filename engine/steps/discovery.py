"""What a sync has to do: the channel, its new videos, and what each of them costs or lacks."""

from dataclasses import dataclass

from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.settings import Settings
from engine.youtube import addresses
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.plan import discover
from engine.youtube.selection import Selection
from engine.youtube.verdicts import Planned

_UPLOADS = "UU"  # the list of uploads is named like the channel, with UU in place of UC


@dataclass(frozen=True)
class Found:
    """What discovery found; `planned` is oldest first, so that an interruption leaves no hole."""

    channel: Channel
    planned: tuple[Planned, ...]
    left_out: tuple[Planned, ...]
    seen: int
    quota_units: int
    quota_searches: int

    @property
    def new(self) -> int:
        """Videos that the library does not know."""
        return len(self.planned) + len(self.left_out)


def find_videos(address: str, selection: Selection, library: Library, settings: Settings) -> Found:
    """Find the videos of a selection that the library does not know.

    Raises:
        BadAddress, UnknownChannel, UnknownPlaylist: there is nothing to look at.
        QuotaUsedUp: deferred until the keys have units again.
        MissingCredentials: no API key is set.
    """
    with Catalog(settings) as catalog:
        channel = known_channel(address, library) or catalog.channel(addresses.channel(address))
        folder = library.folder_of_channel(channel.channel_id)
        known = library.ended_ids(folder) if folder else set()
        plan = discover(channel, selection, known, catalog, settings)
        units, searches = catalog.units, catalog.searches
    planned = [item for item in reversed(plan.items) if item.verdict == "planned"]
    return Found(
        channel=channel,
        planned=tuple(planned),
        left_out=tuple(item for item in plan.items if item.verdict != "planned"),
        seen=plan.found,
        quota_units=units,
        quota_searches=searches,
    )


def known_channel(address: str, library: Library) -> Channel | None:
    """The channel that the library has under this handle or id: a handle is resolved once."""
    wanted = addresses.channel(address)
    for _, card in library.channels():
        named = {"id": card.channel_id, "handle": (card.handle or "").lstrip("@").casefold()}
        value = wanted.value if wanted.kind == "id" else wanted.value.lstrip("@").casefold()
        if card.channel_id and value and named.get(wanted.kind) == value:
            uploads = _UPLOADS + card.channel_id[len(_UPLOADS) :]
            return Channel(card.channel_id, card.handle, card.title or card.channel_id, uploads)
    return None


def as_planned(found: Found, library: Library) -> list[Outcome]:
    """The planned videos as a dry run shows them, with the transcript that each would have."""
    return [
        Outcome(
            video_id=item.video.video_id,
            title=item.video.title,
            status="planned",
            transcript=library.expected(item.video).text,
            duration_s=item.video.duration_s,
        )
        for item in found.planned
    ]


def as_left_out(found: Found) -> list[Outcome]:
    """The videos that are not to be processed, or not yet, with the reason."""
    return [_left_out(item) for item in found.left_out]


def _left_out(item: Planned) -> Outcome:
    return Outcome(
        video_id=item.video.video_id,
        title=item.video.title,
        status=item.verdict,
        reason=item.reason,
        duration_s=item.video.duration_s,
    )
