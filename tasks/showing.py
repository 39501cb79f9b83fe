"""How a run shows itself on the dashboard: its name, its tags, and what it leaves at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from engine.library.shelf import Entry
from engine.library.sidecar import Sidecar
from engine.settings import Settings
from engine.transcript import clock, spoken_at
from engine.video import Video

_FIRST_LINES = 8
_TAG_LENGTH = 60


def introduce(entry: Entry, sidecar: Sidecar, settings: Settings) -> None:
    """Name this run after its video, and tag it with channel, preset and model."""
    tags = [sidecar.video.channel_title, settings.whisper_preset, settings.whisper_model]
    _become(run_name(sidecar.video), [tag[:_TAG_LENGTH] for tag in tags if tag])


def run_name(video: Video) -> str:
    """Channel, date and title."""
    return f"{video.channel_title or 'Local'} · {video.published_at:%Y-%m-%d} · {video.title}"


def _become(name: str, tags: list[str]) -> None:
    if not flow_run.id:
        return
    with _let_be("name"), get_client(sync_client=True) as client:
        kept = set(client.read_flow_run(UUID(flow_run.id)).tags)
        client.update_flow_run(UUID(flow_run.id), name=name, tags=sorted(kept.union(tags)))


@contextmanager
def _let_be(what: str) -> Iterator[None]:
    """What is shown is never worth a run: where the server does not take it, the log says so."""
    try:
        yield
    except httpx.HTTPError as error:
        get_run_logger().warning("The %s is not shown: %s.", what, type(error).__name__)


def show_transcript(entry: Entry, sidecar: Sidecar) -> None:
    """Leave the transcript's beginning, its files and its links on the run's page."""
    with _let_be("transcript"):
        create_markdown_artifact(
            page_of(entry, sidecar),
            key=f"transcript-{_key(entry.video_id)}",
            description=f"Transcript of {sidecar.video.title}",
        )


def page_of(entry: Entry, sidecar: Sidecar) -> str:
    """The page in Markdown."""
    video, heard = sidecar.video, sidecar.steps["transcript"]
    length = heard.detail("duration_s")
    facts = {
        "Channel": video.channel_title,
        "Published": f"{video.published_at:%Y-%m-%d}",
        "Length": clock(length, with_hours=True) if isinstance(length, (int, float)) else None,
        "Language": heard.detail("language"),
        "Model": heard.detail("model"),
        "Transcript": f"`{entry.text}`",
        "ODIN AI": _document(sidecar),
    }
    title = f"[{plain(video.title)}]({video.address})" if video.address else plain(video.title)
    lines = [f"# {title}", ""]
    lines += [f"- {label}: {value}" for label, value in facts.items() if value]
    said = [line for line in entry.text.read_text(encoding="utf-8").splitlines() if spoken_at(line)]
    shown = [f"> {plain(line)}  " for line in said[:_FIRST_LINES]]
    more = len(said) - _FIRST_LINES
    lines += ["", *(shown or ["*Nobody speaks in it.*"])]
    lines += ["", f"… and {more} lines more."] if more > 0 else []
    return "\n".join(lines)


def _document(sidecar: Sidecar) -> str:
    sent = sidecar.steps.get("upload")
    if sent is None or sent.status != "done":
        return f"not uploaded: {(sent.cause if sent else None) or 'not asked for'}"
    return f"`{sent.document_key}`"


def plain(text: str) -> str:
    """Text from the net, without what Markdown or HTML would make of it."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|" else letter for letter in text)


def _key(video_id: str) -> str:
    """Prefect's keys have small letters, digits and dashes only."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in video_id.lower())
