"""The largest memory of a process and of all that it starts."""

import sys
import time
from threading import Event, Thread

import psutil

_SAMPLE_S = 0.05
_NEW_FAMILY_S = 0.25
"""Looking for new children reads the whole process table; their memory is read more often."""


class PeakOfFamily:
    """Watches a process from outside until `stop`; resident bytes, shared pages counted in each."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._stopped = Event()
        self._watcher = Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> int:
        """The largest sum that was seen, in bytes."""
        self._stopped.set()
        self._watcher.join()
        return self._peak

    def _watch(self) -> None:
        family: list[psutil.Process] = []
        looked = float("-inf")
        while not self._stopped.wait(_SAMPLE_S):
            if time.monotonic() - looked >= _NEW_FAMILY_S:
                family, looked = _family(self._pid), time.monotonic()
            self._peak = max(self._peak, sum(map(_resident, family)))


def own_high_water() -> int:
    """The most that this process, or one that it has ended, ever held, in bytes."""
    if sys.platform == "win32":  # windows only
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) * unit


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
