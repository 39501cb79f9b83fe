"""Child processes that are found again by later commands and stopped with all they started."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from engine.running import RunningCard, is_alive

_GRACE_SECONDS = 4.0


class Child:
    """A process of ours in a group of its own, so that Ctrl-C reaches us alone and in order.

    `card` is where to leave its card; None: it does so itself.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, card: Path | None
    ) -> None:
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._log = log
        self._card = card
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, url: str | None = None) -> None:
        """Start it; what it prints goes to the log file."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        own_group = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # windows only
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                self._arguments,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **own_group,
            )
        if self._card:
            RunningCard.of(self._process.pid, url).write(self._card)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def listens_on(self, port: int) -> bool:
        """Whether it, or a process that it started, listens on this port."""
        if self._process is None:
            return False
        # of one that has just ended only root may see what it had open
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            root = psutil.Process(self._process.pid)
            return any(
                link.status == psutil.CONN_LISTEN and link.laddr.port == port
                for process in (root, *root.children(recursive=True))
                for link in process.net_connections("tcp")
            )
        return False

    def last_lines(self, count: int = 5) -> str:
        """The end of its log, for an error message."""
        if not self._log.is_file():
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-count:] if line.strip())

    def stop(self) -> None:
        """End it and everything that it started; what does not listen is killed."""
        if self._process is not None:
            stop_tree(self._process.pid)
            self._process.wait()
            self._process = None
        if self._card:
            self._card.unlink(missing_ok=True)


def stop_tree(pid: int, grace_s: float = _GRACE_SECONDS) -> None:
    """End a process and its descendants: asked first, killed after `grace_s` seconds."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    _tell([root], "terminate")
    psutil.wait_procs([root], timeout=grace_s)
    with contextlib.suppress(psutil.NoSuchProcess):  # gone, with the children that were known
        family += root.children(recursive=True)
    left = [process for process in family if is_alive(process)]
    _tell(left, "kill")
    psutil.wait_procs(left, timeout=grace_s)


def _tell(processes: Sequence[psutil.Process], what: str) -> None:
    for process in processes:
        try:
            getattr(process, what)()
        except psutil.NoSuchProcess:
            continue
