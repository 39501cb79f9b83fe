"""What works behind the page: the station that runs, or one of our own from the first order on."""

import atexit
import threading
import time
from contextlib import suppress

import streamlit as st

from deployments.parts import connect
from deployments.server import Server, answers, find
from deployments.station import Station
from engine.errors import ServiceTrouble
from engine.settings import Settings, load

_LOOK_S = 3.0


class Behind:
    """Prefect's server, as far as there is one; `ready` starts what is missing.

    Keeps the settings that it was made with: later ones name the server which was found.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._station: Station | None = None
        self._known = ""
        threading.Thread(target=self._watch, daemon=True).start()
        atexit.register(self.close)

    def ready(self) -> None:
        """Server, engine and worker run, and this process speaks to the server.

        Raises:
            ServiceTrouble: a part did not start.
        """
        with self._lock:
            if self._station is None:
                self._station = Station(self._settings).__enter__()
                self._known = self._station.server.url

    def seen(self) -> str | None:
        """The address of the server's API if one runs; nothing is started."""
        with self._lock:
            if self._station is not None:
                return self._station.server.url
            url = self._settings.prefect_api_url or find(self._settings)
            if not url or (self._settings.prefect_api_url and not answers(url)):
                return None
            if url != self._known:
                server = Server(self._settings)
                server.url = url
                connect(server)
                self._known = url
            return url

    def close(self) -> None:
        """Stop what was started here."""
        with self._lock:
            station, self._station = self._station, None
            if station is not None:
                station.close()

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                station = self._station
                if station is None:
                    continue
                try:
                    station.check()
                except ServiceTrouble:
                    self._station = None  # the next order starts what is missing
                    with suppress(ServiceTrouble):
                        station.close()


@st.cache_resource(show_spinner=False)
def station() -> Behind:
    """The one behind all windows of this console."""
    return Behind(load())


def dashboard() -> str | None:
    """Where Prefect shows the runs; None while no server runs."""
    url = station().seen()
    return url.removesuffix("/api") if url else None
