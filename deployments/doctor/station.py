"""What runs: Prefect's server with all that it must know, and the engine."""

import socket
from collections.abc import Iterator

import httpx

from deployments.checks import Check, fail, ok, warn
from deployments.parts import connect
from deployments.recovery import impatient
from deployments.server import CARD as SERVER_CARD
from deployments.server import Server, answers, check_admission, find
from engine.errors import BadSettings, ServiceTrouble
from engine.running import RunningCard, card_file
from engine.settings import Settings
from engine.whisper import shared
from engine.whisper.service import CARD

_NAME = "Prefect server"


def server(settings: Settings) -> Iterator[Check]:
    """The server of PREFECT_API_URL or our own, if it runs; then what it must know."""
    remote = settings.prefect_api_url
    url = remote or find(settings)
    if not url and RunningCard.read(card_file(settings, SERVER_CARD)):
        yield warn(_NAME, "runs and does not answer", "`tonspur stop`, then `tonspur up`.")
        return
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
    except ServiceTrouble as trouble:
        yield fail(_NAME, str(trouble), "Look again; if it stays, start the server anew.")
        return
    yield ok(_NAME, url)
    server = Server(settings)
    server.url = url
    connect(server)
    yield from _known(url, settings)


def _known(url: str, settings: Settings) -> Iterator[Check]:
    """What the server knows of us: only what it lacks, or one line."""
    import prefect
    from prefect.exceptions import PrefectHTTPStatusError

    from deployments.checking import check

    try:
        with impatient():
            rows = check(settings)
    except RuntimeError as error:  # Prefect's client says so where the major versions differ
        fix = f'pip install "prefect=={prefect.__version__}" where the server runs.'
        yield fail("version of the server", str(error), fix)
        return
    except (httpx.HTTPError, PrefectHTTPStatusError, ValueError) as error:
        said = f"{url} does not answer as Prefect's API does ({type(error).__name__})"
        yield fail("deployments", said, "Set PREFECT_API_URL to a Prefect server, with /api.")
        return
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
