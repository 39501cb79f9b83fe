"""Places for transfers: so many downloads go side by side on this machine, whoever starts them."""

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

SLICE_S = 1.0
"""Sleep between two looks at the places and the breaker."""


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
    pause.check(settings, clock)
    place = _free(settings)
    if place is None:
        _log.info("Waiting for one of %d places for downloads", settings.yt_downloads_at_once)
    while place is None:
        sleep(SLICE_S)
        pause.check(settings, clock)
        place = _free(settings)
    with place:
        yield


def _free(settings: Settings) -> ExitStack | None:
    """The first free place, held; None when all are taken."""
    for number in range(settings.yt_downloads_at_once):
        stack = ExitStack()
        try:
            stack.enter_context(
                locks.held(settings.locks_dir, "download", f"place {number}", timeout_s=0)
            )
        except Busy:
            continue
        return stack
    return None
