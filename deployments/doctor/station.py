"""What runs: Prefect's server with all that it must know, and the engine."""

import socket
from collections.abc import Iterator

from deployments.checks import Check, fail, ok, warn
from deployments.parts import connect
from deployments.server import Server, answers, check_admission, find
from engine.errors import BadSettings
from engine.running import RunningCard, card_file
from engine.settings import Settings
from engine.whisper import shared
from engine.whisper.service import CARD

_NAME = "Prefect server"


def server(settings: Settings) -> Iterator[Check]:
    """The server of PREFECT_API_URL or our own, if it runs; then what it must know."""
    remote = settings.prefect_api_url
    url = remote or find(settings)
    if not url:
        yield ok(_NAME, "does not run: `tonspur up` starts it, and so does whoever needs it")
        return
    if not answers(url):
        fix = "Start it there, or unset PREFECT_API_URL to use one of your own."
        yield fail(_NAME, f"{url} does not answer", fix)
        return
    try:
        check_admission(url, settings)
    except BadSettings as error:
        yield fail(_NAME, f"{url} refuses this password", str(error))
        return
    yield ok(_NAME, url)
    server = Server(settings)
    server.url = url
    connect(server)
    from deployments.checking import check

    rows = check(settings)
    yield from (row for row in rows if row.status != "ok")
    if all(row.status == "ok" for row in rows):
        yield ok("deployments", f"all {len(rows)} checks of the server")


def engine(settings: Settings) -> Iterator[Check]:
    """The engine of this machine, or whoever sits on its port."""
    found = shared.answering(settings)
    health = found.health() if found else None
    if found and health:
        model = health["model"] or "no model loaded"
        yield ok("engine", f"{found.url}, {model}")
        return
    if RunningCard.read(card_file(settings, CARD)):
        yield warn("engine", "runs and does not answer", "`tonspur stop`, then `tonspur up`.")
        return
    port = settings.engine_port
    if port and _is_taken(port):
        fix = f"Set ENGINE_PORT to another port, or end what listens on {port}."
        yield fail("engine", f"another program listens on port {port}", fix)
        return
    yield ok("engine", "does not run: `tonspur up` or the first job starts it")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
