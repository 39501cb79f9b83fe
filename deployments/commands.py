"""What the commands do: checks first, then the work through runs, or without Prefect."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from engine.errors import BadAddress, TonspurError
from engine.library.local import media_files
from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.odin.batch import UploadRow, upload_documents
from engine.odin.credentials import require_credentials
from engine.settings import Settings, load
from engine.steps.discovery import as_left_out, as_planned, find_videos
from engine.steps.local_way import walk
from engine.whisper import checkpoints
from engine.whisper.client import Engine
from engine.youtube import addresses
from engine.youtube.selection import Selection, choose

if TYPE_CHECKING:
    from tasks.report import Summary


@dataclass(frozen=True)
class Wishes:
    """What a call wants over the settings."""

    preset: str | None
    model: str | None
    language: str | None
    upload: bool = True

    def settings(self) -> Settings:
        """The settings with these wishes.

        Raises:
            ConfigurationError: one of them cannot be used.
        """
        wishes = {
            "whisper_preset": self.preset,
            "whisper_model": self.model,
            "whisper_language": self.language,
        }
        settings = load(**{name: wish for name, wish in wishes.items() if wish})
        if settings.whisper_model:
            checkpoints.check_name(settings.whisper_model)
        return settings

    def parameters(self) -> dict[str, str | bool | None]:
        """The wishes as parameters of a deployment run."""
        return {
            "preset": self.preset,
            "model": self.model,
            "language": self.language,
            "upload": self.upload,
        }


def selection(
    latest: int | None,
    since: str | None,
    until: str | None,
    most_viewed: int | None,
    playlist: str | None,
    everything: bool,
) -> Selection:
    """The selection that the options describe.

    Raises:
        BadSettings: they contradict each other, or a date is none.
    """
    return choose(
        latest=latest,
        since=since,
        until=until,
        most_viewed=most_viewed,
        playlist=playlist,
        everything=everything,
    )


def plan_sync(channel: str, chosen: Selection, wishes: Wishes) -> tuple[list[Outcome], "Summary"]:
    """What a sync would do; needs neither Prefect nor credentials of ODIN AI."""
    from tasks.report import summarise

    settings = wishes.settings()
    library = Library(settings)
    found = find_videos(channel, chosen, library, settings)
    outcomes = [*as_left_out(found), *as_planned(found, library)]
    return outcomes, summarise(found, outcomes)


def sync(
    channel: str, chosen: Selection, wishes: Wishes, notices: Console
) -> tuple[list[Outcome], "Summary"]:
    """Sync a channel through deployment runs, and wait."""
    from deployments.station import Station

    settings = wishes.settings()
    addresses.channel(channel)
    if wishes.upload:
        require_credentials(settings)
    parameters = chosen.model_dump(mode="json") | wishes.parameters()
    with Station(settings) as station:
        from deployments import runs

        notices.print(f"Dashboard: {station.dashboard}")
        with notices.status(f"Syncing {channel} …"):
            return runs.sync(channel, parameters, lambda runs: station.check())


def videos(given: Sequence[str], wishes: Wishes, notices: Console) -> list[Outcome]:
    """Process single videos through deployment runs, and wait."""
    from deployments.station import Station

    settings = wishes.settings()
    if wishes.upload:
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
        from tasks.job import Job

        notices.print(f"Dashboard: {station.dashboard}")
        job = Job(wishes.preset, wishes.model, wishes.language)  # type: ignore[arg-type]
        once = list(dict.fromkeys(ids))
        with notices.status(f"Working on {len(once)} videos …"):
            return outcomes + list(
                runs.videos(once, job, wishes.upload, lambda runs: station.check())
            )


def files(paths: Sequence[Path], wishes: Wishes, notices: Console) -> Iterator[Outcome]:
    """Transcribe local media; what stops the batch fails one file and defers the others."""
    settings = wishes.settings()
    every = list(media_files(paths))
    with Engine(settings) as engine, notices.status("Preparing …") as shown:
        for number, file in enumerate(every):

            def show(done: float, total: float, name: str = file.name) -> None:
                shown.update(f"{name}: {done:.0f} of {total:.0f} s")

            try:
                shown.update(f"{file.name}: preparing …")
                yield walk(file, settings, engine, uploading=wishes.upload, progress=show)
            except TonspurError as error:
                yield Outcome(title=file.stem, status="failed", reason=str(error))
                for left in every[number + 1 :]:
                    yield Outcome(title=left.stem, status="deferred", reason="the batch stopped")
                return


def upload(paths: Sequence[Path]) -> Iterator[UploadRow]:
    """Bring documents into the knowledge base."""
    settings = load()
    require_credentials(settings)
    yield from upload_documents(list(paths), settings)
