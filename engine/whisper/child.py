"""The running model process, seen from the one that started it."""

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

import psutil
from pydantic import ValidationError

from engine.errors import EngineDied
from engine.whisper.messages import EVENTS, Ask, Event, Job, Stop

_PATIENCE_S = 4.0
"""What the process gets to end by itself when its input is closed; it promises two seconds."""
_LAST_LINES = 12
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console


class Child:
    """A model process, and what it has said so far; `end` must be called."""

    def __init__(
        self,
        variables: Mapping[str, str],
        complain: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._number = 0
        self._complain = complain
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.whisper.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(variables),
            creationflags=_NO_WINDOW,
        )
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr  # noqa: S101
        self._stdin = self._popen.stdin
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._complaints: deque[str] = deque(maxlen=_LAST_LINES)
        self._orders: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._write_orders, daemon=True),
            Thread(target=self._read_events, args=(self._popen.stdout,), daemon=True),
            Thread(target=self._read_complaints, args=(self._popen.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether it can still take a job."""
        return self._popen.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def ask(self, job: Job) -> None:
        """Hand over a job."""
        self._number += 1
        self._order(Ask(number=self._number, job=job))

    def stop_job(self) -> None:
        """Ask it to stop the job in hand; it answers with the job's end, whatever that is."""
        self._order(Stop(number=self._number))

    def event(self, timeout_s: float) -> Event | None:
        """The next thing it says; None when it says nothing for so long."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except Empty:
            return None
        if line is None:
            raise self._death()
        try:
            return EVENTS.validate_json(line)
        except ValidationError as error:
            raise EngineDied("The model process said something that is no event.") from error

    def end(self, patience_s: float = _PATIENCE_S) -> None:
        """Close its input and wait; kill it and what it started when it does not end by itself."""
        self._orders.put(None)
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            _kill_family(self._popen.pid)
            self._popen.wait()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _order(self, order: Ask | Stop) -> None:
        if not self.alive:
            raise self._death()
        self._orders.put(order.model_dump_json().encode("utf-8") + b"\n")

    def _write_orders(self) -> None:
        """In a thread of its own: a process that hangs does not read, and the pipe fills."""
        while (line := self._orders.get()) is not None:
            try:
                while line:
                    line = line[os.write(self._stdin.fileno(), line) :]
            except (OSError, ValueError):
                return  # it has ended, which its output says too, or `end` closed its input

    def _death(self) -> EngineDied:
        self.end()
        said = "\n".join(self._complaints)
        code = self._popen.returncode
        return EngineDied(
            f"The model process ended with status {code}." + (f"\n{said}" if said else "")
        )

    def _read_events(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _read_complaints(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                said = line.decode("utf-8", "replace").rstrip()
                self._complaints.append(said)
                self._complain(said)


def _kill_family(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
