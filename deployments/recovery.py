"""Looks every few seconds for runs whose processes are gone, and lets crashed ones begin again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from deployments.server import answers

LOOK_SECONDS = 5.0


class Recovery:
    """For one worker of this machine; `reviving` lets crashed runs begin again by themselves."""

    def __init__(
        self,
        worker: str,
        url: str,
        say: Callable[[str], None],
        *,
        reviving: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._url = url
        self._say = say
        self._reviving = reviving
        self._clock = clock
        self._looked_at = clock()

    def look(self) -> None:
        """Look, if the last look was a while ago; a server that does not answer is let be."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if not answers(self._url):
            return  # it is being started again
        try:
            with impatient():
                self._recover()
        except httpx.HTTPError as error:
            self._say(f"The Prefect server is busy ({type(error).__name__}); looked for later.")

    def _recover(self) -> None:
        from deployments.leftovers import mark_lost
        from deployments.revival import revive

        for name in mark_lost(self._worker):
            self._say(f"The run {name} has lost its process: it is marked Crashed.")
        for name in revive() if self._reviving else ():
            self._say(f"The run {name} crashed: it begins again.")


@contextmanager
def impatient() -> Iterator[None]:
    """Prefect's client gives up soon meanwhile: by itself it tries for minutes.

    Whoever looks after the server must not wait for it, and whoever was told to stop has seconds.
    """
    from prefect.settings import (
        PREFECT_API_REQUEST_TIMEOUT,
        PREFECT_CLIENT_MAX_RETRIES,
        temporary_settings,
    )

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: 3.0}):
        yield
