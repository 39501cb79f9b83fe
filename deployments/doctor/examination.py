"""All checks side by side, each with its time; what a check cannot stand is a finding too."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from time import monotonic

from deployments.checks import Check, fail
from deployments.doctor import folders, gpu, knowledge_base, packages, programs, station, youtube
from deployments.doctor.configuration import as_far_as_usable
from engine.settings import Settings

Examine = Callable[[Settings], Iterator[Check]]

CHECKS: dict[str, Examine] = {
    "Python": packages.python,
    "packages": packages.versions,
    "GPU": gpu.card,
    "Whisper model": gpu.weights,
    "ffmpeg": programs.ffmpeg,
    "yt-dlp": programs.downloader,
    "YouTube keys": youtube.keys,
    "cookies": youtube.cookies,
    "PO tokens": youtube.po_tokens,
    "ODIN AI": knowledge_base.access,
    "library": folders.library,
    "state": folders.state,
    "long paths": folders.long_paths,
    "channels.yaml": folders.channels,
    "Prefect server": station.server,
    "engine": station.engine,
}
"""What is looked at, in the order in which it is told; the name is that of a check that breaks."""

LONGEST_S = 20.0


def examine(longest_s: float = LONGEST_S) -> Iterator[Check]:
    """Every finding, in order; a check that does not come to an end in time is one as well."""
    settings, wrong = as_far_as_usable()
    yield from wrong
    deadline = monotonic() + longest_s
    found: dict[str, Queue[list[Check]]] = {name: Queue() for name in CHECKS}
    for name, look in CHECKS.items():
        threading.Thread(
            target=_look, args=(name, look, settings, found[name]), daemon=True
        ).start()
    for name, answer in found.items():
        try:
            yield from answer.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            said = f"no answer within {longest_s:.0f} s"
            yield fail(name, said, "Look whether its network, disk or driver hangs.")


def _look(name: str, look: Examine, settings: Settings, answer: Queue[list[Check]]) -> None:
    rows: list[Check] = []
    try:
        rows.extend(look(settings))
    except Exception as error:  # whatever is broken here is what the doctor was called for
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        rows.append(fail(name, said, 'Install what Tonspur needs: pip install -e ".[demo]".'))
    answer.put(rows)
