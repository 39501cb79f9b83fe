"""The pace: how many watch pages all processes of this machine may look at in an hour."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.library import locks
from engine.library.atomic import write_text
from engine.settings import Settings
from engine.youtube import pause
from engine.youtube.quota import now_utc

_log = logging.getLogger(__name__)

BURST = 20
"""Looks that may go at once after a rest; with the default of 250 an hour the first hour has 270,
and YouTube blocks guests at about 300."""
SLICE_S = 2.0
"""Longest sleep between two looks at the breaker."""
_NOTHING_S = 0.001


@dataclass(frozen=True)
class Rate:
    """Generic cell rate: one stored time says all that is to be known of the past.

    `due` is the time at which a look would come that keeps to the even pace. It may run ahead of
    the clock by the burst; so in any span of t seconds there are at most burst + t / interval_s.
    """

    interval_s: float
    burst: int = BURST

    def wait_s(self, due: float, now: float) -> float:
        """Seconds until the next look may be taken."""
        wait_s = due - (self.burst - 1) * self.interval_s - now
        return wait_s if wait_s > _NOTHING_S else 0.0  # less is the rounding of the sum

    def after(self, due: float, now: float) -> float:
        """What `due` becomes when a look is taken at `now`."""
        return max(due, now) + self.interval_s

    def believed(self, due: float, now: float) -> float:
        """`due`, at most what a burst that was just used up leaves.

        What is further off was written by a clock that ran ahead, or at a slower pace; taken at
        its word, it could stop downloads for years.
        """
        return min(due, now + self.burst * self.interval_s)


def wait_for_turn(
    settings: Settings,
    clock: Callable[[], datetime] = now_utc,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Takes one look out of `YT_VIDEOS_PER_HOUR`, and waits for it where none is left.

    Args:
        settings: the pace, and where it is kept.
        clock: the present, in UTC.
        sleep: waits for so many seconds.

    Raises:
        DownloadsPaused: the breaker was set while this waited.
        DiskFull: no space is left for the state.
    """
    if not settings.videos_per_hour:
        return
    rate = Rate(3600 / settings.videos_per_hour)
    told = False
    while wait_s := _taken(settings, rate, clock().timestamp()):
        if not told:
            _log.info("Waiting %.0f s or more: YT_VIDEOS_PER_HOUR is used up", wait_s)
            told = True
        sleep(min(wait_s, SLICE_S))
        pause.check(settings, clock)


def _taken(settings: Settings, rate: Rate, now: float) -> float:
    """Seconds to wait; 0 when a look was taken. Never waits while it holds the lock."""
    with locks.held(settings.locks_dir, "pace", "watch pages"):
        stored = _stored(settings)
        due = rate.believed(stored, now)
        wait_s = rate.wait_s(due, now)
        kept = due if wait_s else rate.after(due, now)
        # What was not believed is replaced at once, or it would be as far off at the next look.
        if kept != stored:
            write_text(settings.pace_file, f"{kept!r}\n")
    return wait_s


def _stored(settings: Settings) -> float:
    try:
        due = float(settings.pace_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return -math.inf
    except ValueError:  # UnicodeDecodeError is one too
        due = math.nan
    if math.isfinite(due):
        return due
    _log.warning("%s holds no time; it is ignored", settings.pace_file)
    return -math.inf
