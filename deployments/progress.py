"""Progress on a terminal: bars for what is at work; elsewhere nothing, so that logs stay short."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

_EVERY_S = 2.0
_NAME_LETTERS = 40


class Bars:
    """Bars on standard error while a command works; does nothing where that is no terminal."""

    def __init__(self, notices: Console, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shown = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}"),
            console=notices,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # else it would take what belongs in a pipe
            disable=not notices.is_terminal,
        )
        self._tasks: dict[object, TaskID] = {}
        self._begun: dict[object, float] = {}

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown.stop()

    def say(self, key: object, name: str, share: float | None = None, said: str = "") -> None:
        """Show how far something is; without a share it is at work, and nobody knows how far."""
        shortened = name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
        told: dict[str, Any] = {"description": escape(shortened), "said": escape(said)}
        if key not in self._tasks:
            self._tasks[key] = self._shown.add_task(total=None, **told)
        total = None if share is None else 1.0
        self._shown.update(self._tasks[key], total=total, completed=share or 0.0, **told)

    def speech(self, key: object, name: str, done_s: float, total_s: float) -> None:
        """Show seconds of speech: how many times faster than it was said, and how long still."""
        took = self._clock() - self._begun.setdefault(key, self._clock())
        said = f"{done_s:.0f} of {total_s:.0f} s of speech"
        if took > 0 and done_s:
            speed = done_s / took
            said += f", {speed:.1f} × real time, {(total_s - done_s) / speed:.0f} s left"
        self.say(key, name, done_s / total_s if total_s else None, said)

    def only(self, keys: set[object]) -> None:
        """Take away the bars of everything else."""
        for key in set(self._tasks) - keys:
            self._shown.remove_task(self._tasks.pop(key))
            self._begun.pop(key, None)


@contextmanager
def bars(notices: Console, name: str) -> Iterator[Bars]:
    """Bars, and one on top for the whole command."""
    with Bars(notices) as shown:
        shown.say(None, name)
        yield shown


class RunsShown:
    """A bar for each run of a video that is at work; for who waits for runs."""

    def __init__(self, shown: Bars, notices: Console, name: str) -> None:
        self._bars = shown
        self._wanted = notices.is_terminal
        self._name = name
        self._looked = float("-inf")

    def look(self, clock: Callable[[], float] = monotonic) -> None:
        """Ask Prefect, every two seconds at most."""
        if not self._wanted or clock() - self._looked < _EVERY_S:
            return
        self._looked = clock()
        from deployments.work import at_work

        begun = [run for run in at_work(["process-video"]) if run.started]
        self._bars.only({None, *(run.run_id for run in begun)})
        self._bars.say(None, self._name, said=f"{len(begun)} at work" if begun else "")
        for run in begun:
            self._bars.say(run.run_id, run.name, run.share, (run.heard or run.state))
