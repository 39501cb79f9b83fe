"""What the operator's commands do: where everything stands, and failed videos tried again."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel
from rich.console import Console

from deployments.commands import looking
from deployments.progress import RunsShown, bars
from engine.errors import BadAddress, BadSettings, UnknownChannel, leaves
from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.settings import load
from engine.steps.channels import known_channel
from engine.steps.later import Again
from engine.steps.status import VideoStatus, statuses
from engine.youtube import addresses, pause
from engine.youtube.quota import now_utc


class Standing(BaseModel):
    """The counts of the library, and what holds downloads back; times in UTC."""

    videos: int = 0
    done: int = 0
    waiting: int = 0
    deferred: int = 0
    failed: int = 0
    downloads_rest_until: datetime | None = None
    because: str | None = None


class StatusSummary(BaseModel):
    """The last line of `status --json`."""

    summary: Standing


def status(channel: str | None) -> tuple[list[VideoStatus], Standing]:
    """Where every video of the library or of one channel stands."""
    settings = load()
    library = Library(settings)
    folder = None
    if channel:
        known = known_channel(channel, library)
        if known is None:
            raise UnknownChannel(f"The library has no channel {channel}.")
        folder = library.folder_of_channel(known.channel_id)
    every = list(statuses(library, folder))
    counts = {"done": 0, "waiting": 0, "deferred": 0, "failed": 0}
    for video in every:
        counts[video.state] += 1
    rest = pause.current(settings, now_utc())
    return every, Standing(
        videos=len(every),
        **counts,
        downloads_rest_until=rest.until if rest else None,
        because=rest.why or None if rest else None,
    )


def wanted(
    videos: Sequence[str], causes: Sequence[str], channel: str | None, *, permanent: bool, due: bool
) -> Again:
    """What a retry is asked for, by the words of the command line.

    Raises:
        BadSettings: a cause is none; the message names them all.
    """
    names = {leaf.__name__.casefold(): leaf.__name__ for leaf in leaves()}
    chosen = []
    for cause in causes:
        name = names.get("".join(cause.split()).casefold())
        if name is None:
            raise BadSettings(f"--cause {cause}: it is one of {', '.join(sorted(names.values()))}.")
        chosen.append(name)
    return Again(chosen, permanent, due, [_id(video) for video in videos], channel)


def _id(video: str) -> str:
    try:
        return addresses.video_id(video)
    except BadAddress:
        return video  # a local recording's


def retry(again: Again, notices: Console, *, lift_pause: bool) -> list[Outcome]:
    """Try failed videos again through their runs, and wait."""
    from deployments.station import Station

    settings = load()
    if lift_pause:
        pause.lift(settings)
    with Station(settings) as station:
        from deployments import runs

        notices.print(f"Dashboard: {station.dashboard}")
        with bars(notices, "Trying again") as shown:
            look = looking(station, RunsShown(shown, notices, "Trying again"))
            return list(runs.retried(again, look))
