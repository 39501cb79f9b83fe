"""Seconds of processor time, ours and everybody's: what else ran spoils a figure."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Spent:
    """Since some time in the past: by this process with all that it started, and by all."""

    family_s: float
    machine_s: float

    def since(self, earlier: "Spent") -> "Spent":
        """What was spent between two looks."""
        return Spent(self.family_s - earlier.family_s, self.machine_s - earlier.machine_s)

    @property
    def others_s(self) -> float:
        """What neither this process nor its children spent."""
        return max(0.0, self.machine_s - self.family_s)


def spent() -> Spent:
    """A look at both clocks; they advance in steps of about 10 ms."""
    all_of_it = psutil.cpu_times()
    waiting = all_of_it.idle + getattr(all_of_it, "iowait", 0.0)
    # A guest's time is in `user` already.
    counted_twice = getattr(all_of_it, "guest", 0.0) + getattr(all_of_it, "guest_nice", 0.0)
    this = psutil.Process()
    family = (this, *this.children(recursive=True))
    return Spent(sum(map(_of, family)), sum(all_of_it) - waiting - counted_twice)


def _of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
