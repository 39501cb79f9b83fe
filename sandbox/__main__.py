"""`python -m sandbox --state DIR`: serves until its standard input ends, or Ctrl-C."""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
from asyncio import Transport
from pathlib import Path
from typing import Any, cast

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.errors import TonspurError
from engine.library.atomic import write_text
from sandbox.app import make_app
from sandbox.demo_channel import demo_spec
from sandbox.life import environment_of
from sandbox.spec import SandboxSpec
from sandbox.world import World, spec_file

_HOST = "127.0.0.1"
_TAKEOVER_S = 10.0
_LAST_WORDS_S = 5.0


class _Breakable(H11Protocol):
    """Lets a fault reach the connection: servers have no polite way to drop one."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": cast(Transport, transport)}
        super().connection_made(transport)


def main(arguments: list[str] | None = None) -> int:
    """Runs one sandbox; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder that outlives it")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--recordings", type=Path, help="folder of spoken talks, may be shared")
    parser.add_argument("--ready-file", type=Path, help="written when it listens")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    options = parser.parse_args(arguments)
    options.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(options.state / "sandbox.lock", timeout=_TAKEOVER_S):
            return _serve(options)
    except Timeout:
        print(f"Another sandbox serves {options.state}.", file=sys.stderr)
    except (TonspurError, OSError) as error:
        print(error, file=sys.stderr)
    return 1


def _serve(options: argparse.Namespace) -> int:
    world = World(options.state, options.recordings or options.state / "recordings")
    world.adopt(_spec(options.state))
    # Without the protocol's number asyncio leaves Nagle's algorithm on: 40 ms for every answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name != "nt":  # on Windows it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_HOST, options.port))
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(world),
                http=_Breakable,
                log_level="warning",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        if options.watch_stdin:
            threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
        asyncio.run(_announced(server, listening, world.spec, options.ready_file))
    world.tally.close()
    return 0


def _spec(state: Path) -> SandboxSpec:
    file = spec_file(state)
    if not file.is_file():
        return demo_spec()
    return SandboxSpec.model_validate_json(file.read_text(encoding="utf-8"))


async def _announced(
    server: uvicorn.Server, listening: socket.socket, spec: SandboxSpec, ready_file: Path | None
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    url = f"http://{_HOST}:{listening.getsockname()[1]}"
    ready = {"url": url, "pid": os.getpid(), "environment": environment_of(url, spec)}
    if ready_file and server.started:
        write_text(ready_file, json.dumps(ready, indent=1))
    elif server.started:
        print(json.dumps(ready), flush=True)
    await serving


def _end_with_stdin(server: uvicorn.Server) -> None:
    # os.read, because a buffered reader holds a lock that a daemon thread never gives back.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True
    threading.Event().wait(_LAST_WORDS_S)
    os._exit(1)  # a request that never ends must not keep an orphan alive


if __name__ == "__main__":
    sys.exit(main())
