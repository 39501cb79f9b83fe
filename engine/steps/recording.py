"""How a step writes down what became of it."""

import hashlib
import json
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from engine.errors import Deferred, TonspurError
from engine.library.shelf import Entry, Library, written_at
from engine.library.sidecar import StepName


def fingerprint(*parts: object) -> str:
    """A short name for the input and settings of a step; equal parts give equal names."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def versions(*packages: str) -> dict[str, str]:
    """Versions of Tonspur and of the packages that a step rests on."""
    return {package: version(package) for package in ("tonspur", *packages)}


@contextmanager
def recorded(
    library: Library,
    entry: Entry,
    step: StepName,
    mark: str,
    used: Mapping[str, str],
    kept: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Record the step as done with what the block puts into the dict, or as what its error says.

    What is `kept` is in the record however the block ends, unless the block says otherwise.
    """
    base: dict[str, Any] = {"fingerprint": mark, "versions": dict(used), **(kept or {})}
    details: dict[str, Any] = {}
    try:
        yield details
    except TonspurError as error:
        first = _first_try(library, entry, step, type(error).__name__)
        library.record(entry, step, written_at(**base, **failure(error), first_try=first))
        raise
    except Exception as error:
        # a bug or a broken machine: what is known goes into the sidecar, the error goes on
        said = traceback.format_exception_only(error)[-1].strip()
        cause = type(error).__name__
        first = _first_try(library, entry, step, cause)
        record = written_at("failed", error=said, cause=cause, first_try=first, **base)
        library.record(entry, step, record)
        raise
    library.record(entry, step, written_at("done", **{**base, **details}))


def _first_try(library: Library, entry: Entry, step: StepName, cause: str) -> int:
    """How many runs had ended when this step first met this failure, without a success since."""
    sidecar = library.read(entry)
    before = sidecar.steps.get(step)
    if before is None or before.status != "failed" or before.cause != cause:
        return sidecar.attempts
    known = before.detail("first_try")
    return known if isinstance(known, int) else sidecar.attempts


def failure(error: TonspurError) -> dict[str, Any]:
    """The fields of a step's record that say why it did not come to its end."""
    said: dict[str, Any] = {"error": str(error), "cause": type(error).__name__}
    if isinstance(error, Deferred) and not error.stops_batch:
        return said | {"status": "deferred", "not_before": error.not_before}
    return said | {"status": "failed"}
