"""What the commands do: checks first, then the work through runs, or without Prefect."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from rich.console import Console

from deployments.progress import RunsShown, bars
from engine.errors import BadAddress, TonspurError
from engine.library.local import media_files
from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.odin.batch import UploadRow, upload_documents
from engine.odin.credentials import require_credentials
from engine.settings import load
from engine.steps.channels import known_channel
from engine.steps.discovery import as_left_out, as_planned, find_videos
from engine.steps.local_way import walk
from engine.steps.summary import Summary, summarise
from engine.whisper.client import Engine
from engine.youtube import addresses
from engine.youtube.catalog import Catalog
from engine.youtube.keys import standings
from engine.youtube.selection import Selection
from tasks.job import Job

if TYPE_CHECKING:
    from deployments.station import Station

_SOUND_GB_PER_HOUR = 0.058  # YouTube's m4a has 128 kbit/s


def plan_sync(
    channel: str, chosen: Selection, job: Job, cap: int | None
) -> tuple[list[Outcome], Summary]:
    """What a sync would do; needs neither Prefect nor credentials of ODIN AI."""
    settings = job.settings()
    library = Library(settings)
    found = find_videos(channel, chosen, library, settings, cap)
    outcomes = [*as_left_out(found), *as_planned(found, library)]
    return outcomes, summarise(found, outcomes)


def sync(
    channel: str, chosen: Selection, job: Job, cap: int | None, upload: bool, notices: Console
) -> tuple[list[Outcome], Summary]:
    """Sync a channel through deployment runs, and wait."""
    from deployments.station import Station

    settings = job.settings()
    addresses.channel(channel)
    if upload:
        require_credentials(settings)
    wishes = job.parameters() | {"upload": upload, "backlog_cap": cap}
    with Station(settings) as station:
        from deployments import runs

        notices.print(f"Dashboard: {station.dashboard}")
        name = f"Syncing {channel}"
        with bars(notices, name) as shown:
            asked = chosen.model_dump(mode="json") | wishes
            ended = runs.sync(channel, asked, looking(station, RunsShown(shown, notices, name)))
    if ended.remark:
        notices.print(ended.remark, soft_wrap=True, markup=False)
    return ended.outcomes, ended.summary


def price(outcomes: Sequence[Outcome], summary: Summary) -> str:
    """What the sync of a plan would cost, in one sentence."""
    planned = [item for item in outcomes if item.status == "planned"]
    hours = sum(item.duration_s or 0 for item in planned) / 3600
    length = f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
    gigabytes = hours * _SOUND_GB_PER_HOUR
    size = f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"
    return (
        f"The sync would fetch and transcribe {length} (about {size} of sound) "
        f"and spend {summary.quota_units} units again."
    )


class PlaylistRow(BaseModel):
    """A playlist of a channel; `playlist_id` is what `sync --playlist` takes."""

    playlist_id: str
    title: str
    videos: int


def playlists(channel: str) -> list[PlaylistRow]:
    """Every public playlist of a channel; a unit for 50 of them."""
    settings = load()
    with Catalog(settings) as catalog:
        known = known_channel(channel, Library(settings))
        found = known or catalog.channel(addresses.channel(channel))
        return [
            PlaylistRow(playlist_id=row.playlist_id, title=row.title, videos=row.videos)
            for page in catalog.playlists(found.channel_id)
            for row in page
        ]


def videos(given: Sequence[str], job: Job, upload: bool, notices: Console) -> list[Outcome]:
    """Process single videos through deployment runs, and wait."""
    from deployments.station import Station

    settings = job.settings()
    if upload:
        require_credentials(settings)
    outcomes, ids = [], []
    for address in given:
        try:
            ids.append(addresses.video_id(address))
        except BadAddress as error:
            outcomes.append(Outcome(title=address, status="failed", reason=str(error)))
    if not ids:
        return outcomes
    with Station(settings) as station:
        from deployments import runs

        notices.print(f"Dashboard: {station.dashboard}")
        once = list(dict.fromkeys(ids))
        name = f"Working on {len(once)} videos" if len(once) > 1 else "Working on the video"
        with bars(notices, name) as shown:
            look = looking(station, RunsShown(shown, notices, name))
            return outcomes + list(runs.videos(once, job, upload, look))


def looking(station: "Station", shown: RunsShown) -> Callable[[Any], None]:
    """What is done while runs are waited for."""

    def look(runs: Any) -> None:
        station.check()
        shown.look()

    return look


def files(paths: Sequence[Path], job: Job, upload: bool, notices: Console) -> Iterator[Outcome]:
    """Transcribe local media; what stops the batch fails one file and defers the others."""
    settings = job.settings()
    every = list(media_files(paths))
    with Engine(settings) as engine, bars(notices, "Transcribing") as shown:
        for number, file in enumerate(every):
            shown.say(None, "Transcribing", number / len(every), f"{number} of {len(every)} files")

            def show(done: float, total: float, name: str = file.name) -> None:
                shown.speech(name, name, done, total)

            try:
                shown.only({None})
                shown.say(file.name, file.name, said="preparing, then the model")
                yield walk(file, settings, engine, uploading=upload, progress=show)
            except TonspurError as error:
                yield Outcome(title=file.stem, status="failed", reason=str(error))
                for left in every[number + 1 :]:
                    yield Outcome(title=left.stem, status="deferred", reason="the batch stopped")
                return


class KeyRow(BaseModel):
    """Where one key stands on this Pacific day; `key` is a hash, never the key."""

    key: str
    state: Literal["open", "used up"]
    units: int
    units_budget: int
    searches: int
    searches_budget: int
    reset_at: datetime


def key_rows() -> list[KeyRow]:
    """Every key of the settings, by the ledger."""
    rows = []
    for standing in standings(load()):
        spent = standing.spent
        used_up = spent.units_exhausted or spent.units >= standing.units_budget
        rows.append(
            KeyRow(
                key=standing.name,
                state="used up" if used_up else "open",
                units=spent.units,
                units_budget=standing.units_budget,
                searches=spent.searches,
                searches_budget=standing.searches_budget,
                reset_at=standing.reset_at,
            )
        )
    return rows


def run_engine(notices: Console) -> None:
    """Start the engine of this machine and look after it until interrupted.

    Raises:
        ServiceTrouble: it did not start, or its port is taken.
    """
    from deployments.engine import EngineService
    from deployments.supervisor import LOOK_SECONDS, Supervisor

    service = EngineService(load())
    try:
        if not service.ensure():
            notices.print(f"The engine runs already: {service.url}")
            return
        notices.print(f"The engine listens: {service.url}  (Ctrl-C ends it)")
        supervisor = Supervisor([service], notices.print)
        while True:
            time.sleep(LOOK_SECONDS)
            supervisor.look()
    finally:
        service.stop()


def upload(
    paths: Sequence[Path],
    job: Job,
    include: Sequence[str],
    exclude: Sequence[str],
    notices: Console,
) -> Iterator[UploadRow]:
    """Bring documents into the knowledge base."""
    settings = job.settings()
    require_credentials(settings)
    with bars(notices, "Uploading") as shown:

        def show(path: Path, status: str) -> None:
            shown.only({None})
            shown.say(path, path.name, said=status)

        yield from upload_documents(
            list(paths), settings, include=include, exclude=exclude, progress=show
        )
