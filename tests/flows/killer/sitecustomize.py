"""Kills a flow run at a planned moment, once; loaded by every Python that finds this folder.

The plan is a file of three lines: audit event, end of an argument, seconds of delay.
"""

import os
import signal
import sys
import threading
from pathlib import Path

plan = Path(os.environ.get("TONSPUR_KILL_PLAN", ""))


def arm(event: str, ending: str, delay: float) -> None:
    """Kill this process `delay` seconds after the event with an argument that ends so."""

    def kill() -> None:
        try:
            plan.rename(plan.with_suffix(".done"))
        except FileNotFoundError:
            return  # it was for another process
        os.kill(os.getpid(), signal.SIGKILL)

    def look(name: str, arguments: tuple[object, ...]) -> None:
        if name == event and any(ending in str(argument) for argument in arguments):
            if delay:
                threading.Timer(delay, kill).start()
            else:
                kill()

    sys.addaudithook(look)


if plan.is_file() and any("prefect" in argument for argument in sys.orig_argv):
    line = plan.read_text(encoding="utf-8").splitlines()
    if "worker" not in sys.orig_argv and "server" not in sys.orig_argv:
        arm(line[0], line[1], float(line[2]))
