"""What is looked at, and how a look comes about on a machine where anything may be missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from deployments.checks import Check, fail
from deployments.doctor.discretion import hidden
from deployments.doctor.side_by_side import Look, broken, side_by_side

if TYPE_CHECKING:
    from engine.settings import Settings


@dataclass(frozen=True)
class Examination:
    """A function of this package; the name is that of its line when it breaks."""

    name: str
    module: str
    function: str
    needs_settings: bool = True


CHECKS = (
    Examination("Python", "packages", "python", needs_settings=False),
    Examination("packages", "packages", "versions", needs_settings=False),
    Examination("clock", "clock", "clock", needs_settings=False),
    Examination("torch", "gpu", "torch"),
    Examination("GPU", "gpu", "card"),
    Examination("Whisper model", "gpu", "weights"),
    Examination("ffmpeg", "programs", "ffmpeg", needs_settings=False),
    Examination("yt-dlp", "programs", "downloader", needs_settings=False),
    Examination("YouTube keys", "youtube", "keys"),
    Examination("cookies", "youtube", "cookies"),
    Examination("PO tokens", "youtube", "po_tokens"),
    Examination("ODIN AI", "knowledge_base", "access"),
    Examination("library", "folders", "library"),
    Examination("state", "folders", "state"),
    Examination("long paths", "folders", "long_paths"),
    Examination("channels.yaml", "schedule", "channels"),
    Examination("Prefect server", "station", "server"),
    Examination("engine", "station", "engine"),
)
"""In the order in which they are told. A module that cannot be imported breaks its own lines."""

LONGEST_S = 12.0


def examine(
    checks: Iterable[Examination] = CHECKS, longest_s: float = LONGEST_S
) -> Iterator[Check]:
    """Every finding, in order; a check that breaks, or comes to no end in time, is one as well."""
    settings, told = _settings()
    # imported here, one after the other: threads that import the same packages wait for each other
    looks = {
        one.name: _ready(one, settings) for one in checks if settings or not one.needs_settings
    }
    for row in told:
        yield hidden(row, settings)
    for row in side_by_side(looks, longest_s):
        yield hidden(row, settings)


def _settings() -> tuple["Settings | None", list[Check]]:
    try:
        from deployments.doctor.configuration import as_far_as_usable

        return as_far_as_usable()
    except ImportError as error:
        return None, [broken("settings", error)]
    except Exception as error:
        said = f"not even the defaults can be used: {type(error).__name__}"
        return None, [fail("settings", said, "Set LIBRARY_DIR and STATE_DIR to other folders.")]


def _ready(one: Examination, settings: "Settings | None") -> Look:
    try:
        module = import_module(f"deployments.doctor.{one.module}")
    except Exception as error:  # a package may be there and broken
        return partial(_told, broken(one.name, error))
    return partial(getattr(module, one.function), settings)


def _told(row: Check) -> list[Check]:
    return [row]
