"""Step 5: transcripts for people and programs, written from the segments."""

import hashlib
from datetime import UTC

from engine.library import atomic
from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar
from engine.steps.recording import fingerprint, recorded, versions
from engine.transcript import Transcript, clock, render

EXTENSIONS = (".txt", ".srt", ".vtt")
_LAYOUT = 1  # raised when the layout of a file changes, so that it is written anew


def write(library: Library, entry: Entry) -> None:
    """Write TXT, SRT and VTT beside the segments, each whole or not at all."""
    content = entry.transcript.read_bytes()
    sidecar = library.read(entry)
    header = heading(sidecar, Transcript.model_validate_json(content))
    mark = fingerprint(_LAYOUT, hashlib.sha256(content).hexdigest(), header)
    if sidecar.is_done("write", mark) and all(entry.file(e).is_file() for e in EXTENSIONS):
        return
    with recorded(library, entry, "write", mark, versions()):
        transcript = Transcript.model_validate_json(content)
        for extension in EXTENSIONS:
            atomic.write_text(entry.file(extension), render(transcript, header, extension))


def heading(sidecar: Sidecar, transcript: Transcript) -> list[tuple[str, str]]:
    """What stands above a transcript, in this order."""
    video = sidecar.video
    lines = [
        ("Title", video.title),
        ("Channel", video.channel_title),
        ("URL", video.webpage_url),
        ("Published", video.published_at.astimezone(UTC).strftime("%Y-%m-%d")),
        ("Duration", clock(round(transcript.duration_s), with_hours=True)),
        ("Language", transcript.language),
        ("Model", transcript.model),
    ]
    return [(label, value) for label, value in lines if value]
