"""`python -m engine.whisper.service`: listens on loopback until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import logging
import shutil
import signal
import socket
import sys
from logging.handlers import RotatingFileHandler

import uvicorn

from engine.errors import Busy, ServiceTrouble, TonspurError
from engine.library import locks
from engine.running import RunningCard, card_file
from engine.settings import Settings, load
from engine.whisper.service import CARD
from engine.whisper.service.access import made_token
from engine.whisper.service.app import make_app
from engine.whisper.service.desk import Desk

HOST = "127.0.0.1"
_LOG_BYTES = 5_000_000
_LOG_FILES = 4
_GRACE_S = 1

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the engine of this STATE_DIR, if there is none; returns the exit status."""
    parser = argparse.ArgumentParser(prog="engine", description=__doc__)
    parser.add_argument("--port", type=int, help="in place of ENGINE_PORT; 0: any free one")
    parser.add_argument("--watcher", type=int, help="process that starts it again when it dies")
    asked = parser.parse_args(arguments)
    try:
        settings = load()
        with locks.held(settings.locks_dir, "engine", "service", 0):
            port = settings.engine_port if asked.port is None else asked.port
            watcher = None if asked.watcher is None else RunningCard.of(asked.watcher)
            _run(settings, port, watcher)
    except Busy:
        print(f"An engine runs already for {settings.state_dir}.", file=sys.stderr)
        return 1
    except TonspurError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(settings: Settings, port: int, watcher: RunningCard | None) -> None:
    _log_to_file(settings)
    shutil.rmtree(settings.uploads_dir, ignore_errors=True)  # of an engine that was killed
    token = made_token(settings)
    model_log = logging.getLogger("engine.whisper.process")
    with _listening(port) as listening:
        desk = Desk(settings, complain=model_log.warning)
        try:
            app = make_app(desk, settings, token)
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    lifespan="off",
                    timeout_graceful_shutdown=_GRACE_S,
                )
            )
            url = f"http://{HOST}:{listening.getsockname()[1]}"
            card = card_file(settings, CARD)
            RunningCard.of(url=url, watcher=watcher).write(card)
            log.info("listening on %s", url)
            for number in (signal.SIGINT, signal.SIGTERM):
                # uvicorn has handlers of its own while it serves, and raises what it got again when
                # it has ended: the model process must be ended first.
                signal.signal(number, signal.SIG_IGN)
            asyncio.run(server.serve(sockets=[listening]))
            card.unlink(missing_ok=True)
        finally:
            desk.close()
            log.info("ended")


def _listening(port: int) -> socket.socket:
    # Without the protocol's number asyncio leaves Nagle's algorithm on: 40 ms for every answer.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":  # windows only: another program could share the port
        made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:  # a server that ended just now does not block its port
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        raise ServiceTrouble(
            f"Port {port} of {HOST} is taken by another program: end it, or set ENGINE_PORT."
        ) from error
    return made


def _log_to_file(settings: Settings) -> None:
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        settings.logs_dir / "engine.log",
        maxBytes=_LOG_BYTES,
        backupCount=_LOG_FILES,
        encoding="utf-8",
    )
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=[handler], force=True)


if __name__ == "__main__":
    sys.exit(main())
