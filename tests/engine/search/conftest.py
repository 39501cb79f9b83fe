"""A library of short transcripts."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.library.shelf import Entry, Library
from engine.video import Video

Say = Callable[..., Entry]


def transcript_of(lines: tuple[str, ...], step_s: float = 6.0) -> str:
    """A `.transcript.json` with a segment of six seconds for each line."""
    segments = [
        {"start": n * step_s, "end": (n + 1) * step_s, "text": line} for n, line in enumerate(lines)
    ]
    known = {"language": "en", "duration_s": len(lines) * step_s, "model": "m", "preset": "p"}
    return json.dumps(known | {"segments": segments})


@pytest.fixture
def say(library: Library) -> Say:
    """Puts a video into the library in which these lines are said."""

    def put(
        *lines: str, id: str = "aaaaaaaaaa1", title: str = "A talk", channel: str | None = "Talks"
    ) -> Entry:
        video = Video(
            video_id=id,
            published_at=datetime(2026, 1, 2, tzinfo=UTC),
            title=title,
            channel_id=f"UC{channel}" if channel else None,
            channel_title=channel,
        )
        folder = None if channel else library.root / "Local files"
        entry = library.place(video, folder)
        entry.transcript.write_text(transcript_of(lines), encoding="utf-8")
        return entry

    return put


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "search.sqlite3"
