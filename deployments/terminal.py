"""What all commands share: their options, notices on standard error, and how they end."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Console

notices = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, nothing else.")]
NoUpload = Annotated[bool, typer.Option("--no-upload", help="Keep the transcripts here.")]
Preset = Annotated[str | None, typer.Option(help="stabil, optimiert, schnell or max-schnell.")]
Model = Annotated[str | None, typer.Option(help="Whisper model: a name, hub id or folder.")]
Language = Annotated[str | None, typer.Option(help="Language code, or auto.")]
Media = Annotated[str | None, typer.Option(help="What is kept of a video: best, mp3 or mp4.")]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="What documents say: author_name, uploaded_by, added_by or category.",
    ),
]
Project = Annotated[str | None, typer.Option(help="ODIN project of the documents.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Hits at most.")]


def end(items: Iterable[Any]) -> None:
    """Exit status 1 when an item failed; a line on standard error says how many."""
    every = list(items)
    failed = [item for item in every if item.status == "failed"]
    if failed:
        reason = " ".join(str(failed[0].reason or "").split())
        said = f"{len(failed)} of {len(every)} failed; the first: {reason}"
        notices.print(said, soft_wrap=True, markup=False)
        raise typer.Exit(1)
