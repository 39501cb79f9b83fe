"""Places: so many transfers go side by side on this machine, and one look at a time."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from engine.errors import Busy
from engine.library import locks
from engine.settings import Settings
from engine.youtube import pause
from engine.youtube.quota import now_utc

_log = logging.getLogger(__name__)

SLICE_S = 0.25
"""Sleep between two looks at the places and the breaker."""


@contextmanager
def look(
    settings: Settings,
    clock: Callable[[], datetime] = now_utc,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds the one place for a look at a watch page.

    So a bot wall is met by one video, and all others find the breaker set. It costs no speed: the
    pace allows less than one look takes.

    Raises:
        DownloadsPaused: the breaker is set, or was set while this waited.
    """
    with _one_of("look", 1, settings, clock, sleep):
        yield


@contextmanager
def held(
    settings: Settings,
    clock: Callable[[], datetime] = now_utc,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds one of `YT_DOWNLOADS_AT_ONCE` places; waits as long as all are taken.

    A place is a lock of the operating system: that of a killed holder is free at once.

    Args:
        settings: how many places there are.
        clock: the present, in UTC.
        sleep: waits for so many seconds.

    Raises:
        DownloadsPaused: the breaker is set, or was set while this waited.
    """
    with _one_of("download", settings.yt_downloads_at_once, settings, clock, sleep):
        yield


@contextmanager
def _one_of(
    kind: str,
    places: int,
    settings: Settings,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Iterator[None]:
    told = False
    while (place := _free(kind, places, settings)) is None:
        if not told:
            _log.info("Waiting for a place: %s, %d in all", kind, places)
            told = True
        pause.check(settings, clock)
        sleep(SLICE_S)
    with place:
        pause.check(settings, clock)
        yield


def _free(kind: str, places: int, settings: Settings) -> ExitStack | None:
    """The first free place, held; None when all are taken."""
    for number in range(places):
        stack = ExitStack()
        try:
            stack.enter_context(
                locks.held(settings.locks_dir, kind, f"place {number}", timeout_s=0)
            )
        except Busy:
            continue
        return stack
    return None
