"""Tonspur's own Prefect server: SQLite under STATE_DIR, loopback, found again by later commands."""

import base64
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from deployments.processes import Child
from deployments.stuck import LockedDatabase
from engine.errors import BadSettings, ServiceTrouble
from engine.library import locks
from engine.running import RunningCard, card_file
from engine.settings import Settings

PREFERRED_PORT = 4200
CARD = "prefect-server"
_START_SECONDS = 90.0

# What the GPU slot needs of the server; leases in memory leak the slot when a server dies, and the
# default wait for a tag slot leaves the GPU idle for half a minute.
SERVER_SETTINGS = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
        "prefect.server.concurrency.lease_storage.filesystem"
    ),
    "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "0.5",
    "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
    "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60",
    # A wave of runs waits for its turn: that is no lateness, and each mark is a write to SQLite.
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "3600",
    # Housekeeping deletes old runs; their logs and artifacts are the server's to find.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,orphans",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
}


class Server:
    """The server that commands use: a remote one by setting, a running one, or one of our own."""

    name = "Prefect server"

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._card = card_file(settings, CARD)
        self._child: Child | None = None
        self._database = LockedDatabase(settings.state_dir / "prefect" / "prefect.db")
        self.url = settings.prefect_api_url or ""

    def ensure(self) -> bool:
        """Make `url` answer; True when a server was started for it.

        Raises:
            ServiceTrouble: the remote one does not answer, or ours did not start.
            BadSettings: it asks for another password.
        """
        if self._settings.prefect_api_url:
            if not answers(self.url):
                raise ServiceTrouble(f"The Prefect server {self.url} does not answer.")
            check_admission(self.url, self._settings)
            return False
        with locks.held(self._settings.locks_dir, "start", "prefect-server", _START_SECONDS):
            running = find(self._settings)
            if running:
                self.url = running
                check_admission(running, self._settings)
                return False
            try:
                self._start(free_port(PREFERRED_PORT))
            except ServiceTrouble:
                # another program may have taken the port since we looked
                self._start(free_port(0))
        return True

    def environment(self) -> dict[str, str]:
        """What a process needs to talk to this server."""
        return environment(self._settings) | {"PREFECT_API_URL": self.url} | _given(self._settings)

    @property
    def alive(self) -> bool:
        """Whether the server that was started here runs and can write; True for a foreign one."""
        return self._child is None or (self._child.alive and not self._database.is_stuck())

    def restart(self) -> None:
        """Start our server again, at the address that everybody knows."""
        if self._child:
            self._child.stop()
            self._start(int(self.url.rsplit(":", 1)[1].split("/")[0]))

    def stop(self) -> None:
        """Stop the server if this object started it."""
        if self._child:
            self._child.stop()
            self._child = None

    def _start(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api"
        self._database.forget()
        program = [sys.executable, "-P", "-m", "deployments.prefect_server", "server", "start"]
        self._child = Child(
            [*program, "--host", "127.0.0.1", "--port", str(port)],
            self.environment() | SERVER_SETTINGS | _demanded(self._settings),
            self._settings.logs_dir / "prefect-server.log",
            self._card,
        )
        self._child.start(self.url)
        deadline = time.monotonic() + _START_SECONDS
        # whoever answers there need not be ours
        while not (self._child.listens_on(port) and answers(self.url)):
            if not self._child.alive or time.monotonic() > deadline:
                said = self._child.last_lines()
                self._child.stop()
                raise ServiceTrouble(f"The Prefect server did not start: {said}")
            self._sleep(0.2)


def check_admission(url: str, settings: Settings) -> None:
    """Whether the server lets us in.

    Raises:
        BadSettings: it asks for another password.
        ServiceTrouble: it does not answer.
    """
    secret = settings.prefect_server_api_auth_string
    told = base64.b64encode(secret.get_secret_value().encode("utf-8")).decode() if secret else None
    headers = {"Authorization": f"Basic {told}"} if told else {}
    try:
        answer = httpx.get(f"{url}/admin/version", headers=headers, timeout=10, trust_env=False)
    except httpx.TransportError as error:
        raise ServiceTrouble(f"The Prefect server {url} does not answer.") from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        wanted = "another" if secret else "a"
        raise BadSettings(
            f"The Prefect server {url} asks for {wanted} password: set its user:password as "
            "PREFECT_SERVER_API_AUTH_STRING."
        )


def _given(settings: Settings) -> dict[str, str]:
    """What a client says to be let in; empty where the server lets everybody in."""
    secret = settings.prefect_server_api_auth_string
    return {"PREFECT_API_AUTH_STRING": secret.get_secret_value()} if secret else {}


def _demanded(settings: Settings) -> dict[str, str]:
    """What our own server asks clients for."""
    secret = settings.prefect_server_api_auth_string
    return {"PREFECT_SERVER_API_AUTH_STRING": secret.get_secret_value()} if secret else {}


def find(settings: Settings) -> str | None:
    """Address of the running server of this STATE_DIR."""
    card = RunningCard.read(card_file(settings, CARD))
    return card.url if card and card.url and answers(card.url) else None


def environment(settings: Settings) -> dict[str, str]:
    """Where Prefect keeps its files; the user's own profile is left alone."""
    home: Path = settings.state_dir / "prefect"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_LOGGING_LEVEL": os.environ.get("PREFECT_LOGGING_LEVEL", "INFO"),
        "PREFECT_CLI_COLORS": "false",
        "PYTHONUTF8": "1",
    }


def answers(url: str) -> bool:
    """Whether a Prefect server listens at this API address."""
    try:
        return httpx.get(f"{url}/health", timeout=3, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def free_port(preferred: int) -> int:
    """The preferred port if nobody listens there, so that bookmarks last; else a free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            if os.name != "nt":  # a server that ended just now does not block its port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceTrouble("No free port on 127.0.0.1.")
