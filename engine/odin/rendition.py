"""A transcript as it is uploaded: as it is, or with a link to the moment above each paragraph."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.library import atomic
from engine.settings import Settings
from engine.transcript import spoken_at
from engine.video import moment

PARAGRAPH_S = 60
"""Longest paragraph, so that a hit leads to within a minute of what was said."""
PAUSE_S = 2
"""A pause that ends a paragraph."""


def linked(text: str, url: str) -> str:
    """The text with the address of the moment on a line of its own above each paragraph.

    Args:
        text: a transcript, one segment a line, each with its times in front.
        url: the video's address.
    """
    lines: list[str] = []
    begun: int | None = None
    before = 0
    for line in text.splitlines():
        if times := spoken_at(line):
            start, end = times
            if begun is None or start - begun >= PARAGRAPH_S or start - before >= PAUSE_S:
                lines += [""] * bool(lines and lines[-1]) + [moment(url, start)]
                begun = start
            before = end
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def rendition(transcript: Path, name: str, url: str | None, settings: Settings) -> Iterator[Path]:
    """The file to be uploaded for a transcript; one that is made for it is gone at the end.

    Args:
        transcript: the `.txt` of the library.
        name: the document's.
        url: the video's address; None for what has none, which is uploaded as it is.
        settings: whether links are wanted (`ODIN_LINKS`).
    """
    if not settings.odin_links or not url:
        yield transcript
        return
    made = settings.outbox_dir / name
    atomic.write_text(made, linked(transcript.read_text(encoding="utf-8"), url))
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)
