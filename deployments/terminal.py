"""What all commands share: their options, notices on standard error, and how they end."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer
from rich.console import Console

notices = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, nothing else.")]
NoUpload = Annotated[bool, typer.Option("--no-upload", help="Keep the transcripts here.")]


def one_of(*words: str) -> Callable[[str], list[str]]:
    """What a shell completes to: those of these words that begin like what is there."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


_PRESETS = ("stabil", "optimiert", "schnell", "max-schnell")
_MODELS = ("large-v3", "large-v2", "turbo", "medium", "small", "base", "tiny", "distil-large-v3.5")
_LANGUAGES = ("auto", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "tr", "uk", "zh")
_FORMS = ("best", "mp3", "mp4")
Preset = Annotated[
    str | None,
    typer.Option(
        help="stabil, optimiert, schnell or max-schnell.", autocompletion=one_of(*_PRESETS)
    ),
]
Model = Annotated[
    str | None,
    typer.Option(help="Whisper model: a name, hub id or folder.", autocompletion=one_of(*_MODELS)),
]
Language = Annotated[
    str | None,
    typer.Option(help="Language code, or auto.", autocompletion=one_of(*_LANGUAGES)),
]
Media = Annotated[
    str | None,
    typer.Option(help="What is kept of a video: best, mp3 or mp4.", autocompletion=one_of(*_FORMS)),
]
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
