"""How far each video of a channel has come, told from the bytes of its sidecar."""

import re
from dataclasses import dataclass
from pathlib import Path

from engine import errors
from engine.library.shelf import Entry, Library

# parsing 20,000 sidecars would take seconds; a text in them cannot begin a line
_ENDED = re.compile(rb'^  "attempts": [1-9]', re.MULTILINE)
_LOOKED_UP = re.compile(rb'^    "metadata": \{\s+"status": "done"', re.MULTILINE)
_CAUSE = re.compile(rb'^      "cause": "(\w+)"', re.MULTILINE)


@dataclass(frozen=True)
class Standing:
    """The videos of one channel by what became of them.

    `ended`: a run came to an end, well or not. `hindered`, a part of them: an obstacle of YouTube's
    stands in the way. `waiting`: their metadata are there and no run came to an end, because it
    waits, runs, or was interrupted.
    """

    ended: frozenset[str] = frozenset()
    hindered: tuple[Entry, ...] = ()
    waiting: tuple[Entry, ...] = ()


def standing(library: Library, folder: Path | None) -> Standing:
    """Where the videos in a channel's folder stand, oldest first."""
    ended: set[str] = set()
    hindered, waiting = [], []
    for entry in library.entries_of(folder) if folder else ():
        content = entry.sidecar.read_bytes()
        if _ENDED.search(content):
            ended.add(entry.video_id)
            if any(_is_obstacle(cause.decode()) for cause in _CAUSE.findall(content)):
                hindered.append(entry)
        elif _LOOKED_UP.search(content):
            waiting.append(entry)
    return Standing(frozenset(ended), tuple(hindered), tuple(waiting))


def _is_obstacle(cause: str) -> bool:
    leaf = getattr(errors, cause, None)
    return isinstance(leaf, type) and issubclass(leaf, errors.UnavailableVideo)
