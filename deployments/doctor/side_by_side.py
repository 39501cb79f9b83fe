"""Looks that run side by side, with one time for all; what a look cannot stand is a finding too."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, Queue
from time import monotonic

from deployments.checks import Check, fail

Look = Callable[[], Iterable[Check]]


def side_by_side(looks: Mapping[str, Look], longest_s: float) -> Iterator[Check]:
    """Every finding, in the order of the looks; what one found before the time was up is kept."""
    deadline = monotonic() + longest_s
    found: dict[str, Queue[Check | None]] = {name: Queue() for name in looks}
    for name, look in looks.items():
        # daemons: one that hangs in a driver or on a share must not keep the command from its end
        threading.Thread(target=_look, args=(name, look, found[name]), daemon=True).start()
    for name, answers in found.items():
        try:
            while row := answers.get(timeout=max(0.0, deadline - monotonic())):
                yield row
        except Empty:
            said = f"no answer within {longest_s:g} s"
            yield fail(name, said, "Look whether its network, disk or driver hangs.")


def broken(name: str, error: Exception) -> Check:
    """The line of a check that came to no end."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if isinstance(error, ImportError):
        return fail(name, said, 'pip install -e "." brings what is missing.')
    return fail(name, said, "Mend what other lines name; stays this one, it is a bug of Tonspur.")


def _look(name: str, look: Look, answers: "Queue[Check | None]") -> None:
    try:
        for row in look():
            answers.put(row)
    except Exception as error:  # whatever is broken here is what the doctor was called for
        answers.put(broken(name, error))
    answers.put(None)
