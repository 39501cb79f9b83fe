"""Two machines on one pool: Prefect on PostgreSQL, a library on a shared folder, two GPUs."""

import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.server import free_port
from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.running import RunningCard, card_file
from engine.settings import load
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="PostgreSQL is started as on Linux"),
]

VIDEOS = 30
TALKS = ("harbor", "bread", "garden", "sleep")
ROOT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


def program(name: str) -> str:
    """A program of PostgreSQL; Debian keeps them out of PATH."""
    debians = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debians[-1]) if debians else None)
    if found is None:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return found


@pytest.fixture
def database() -> Iterator[str]:
    """A PostgreSQL of its own with an empty database; its address for Prefect."""
    is_root = getpass.getuser() == "root"
    owner = {"user": "postgres", "group": "postgres", "extra_groups": ()} if is_root else {}
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if is_root:
            shutil.chown(folder, "postgres", "postgres")  # it refuses to run as root
        port = free_port(0)
        data = folder / "data"
        make = [program("initdb"), "-D", str(data), "-U", "prefect", "--auth=trust"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **owner)
        here = ["-c", f"unix_socket_directories={folder}", "-h", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(
            [program("postgres"), "-D", str(data), *here],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **owner,
        )
        try:
            ask = [program("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "-c"]
            deadline = time.monotonic() + 60
            while subprocess.run(
                [*ask, "CREATE DATABASE prefect", "postgres"], capture_output=True, cwd=folder
            ).returncode:
                assert time.monotonic() < deadline
                time.sleep(0.5)
            subprocess.run(
                [*ask, "CREATE EXTENSION pg_trgm", "prefect"],
                check=True,
                capture_output=True,
                cwd=folder,
            )
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    videos = tuple(
        SandboxVideo(
            id=f"twomach-{number:03}",
            title=f"Talk {number}",
            published=start + timedelta(days=number),
            talk=TALKS[number % len(TALKS)],
        )
        for number in range(VIDEOS)
    )
    channel = SandboxChannel(id=f"UC{'t' * 22}", handle="@two", title="Two", videos=videos)
    with Sandbox(tmp_path / "sandbox", spec=SandboxSpec(channels=(channel,))) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `tonspur …` with an environment of its own; all end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def starting(name: str, environment: dict[str, str], *arguments: str):
        with (tmp_path / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tonspur", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stderr=log,
                stdout=log,
            )
        running.append(process)
        return process

    yield starting
    for process in reversed(running):
        process.terminate()
    for process in running:
        process.wait(25)
    for log in sorted(tmp_path.glob("*.log")):
        print(log.name, log.read_text(encoding="utf-8")[-2000:])


def said(tmp_path: Path, name: str, text: str, deadline_s: float = 120) -> None:
    deadline = time.monotonic() + deadline_s
    while text not in (tmp_path / f"{name}.log").read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, f"{name} did not say {text!r}"
        time.sleep(0.3)


def test_two_machines_share_a_sync_and_nothing_is_done_twice(
    database: str, sandbox: Sandbox, start: Start, tmp_path: Path
) -> None:
    common = sandbox.environment() | {
        "WHISPER_MODEL": "base",
        "LIBRARY_DIR": str(tmp_path / "share"),
        "ENGINE_PORT": "0",
    }
    one = common | {
        "STATE_DIR": str(tmp_path / "one"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
    }
    start("up", one, "up")
    said(tmp_path, "up", "Tonspur is up")
    first = load(state_dir=tmp_path / "one")
    card = RunningCard.read(card_file(first, "prefect-server"))
    assert card is not None
    two = common | {
        "STATE_DIR": str(tmp_path / "two"),
        "PREFECT_API_URL": str(card.url),
        "WORKER_QUEUES": "default",
        "GPU_SLOT": "gpu:two",
    }
    start("engine", two, "engine")
    start("worker", two, "worker")
    said(tmp_path, "worker", "serves")

    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tonspur", "sync", sandbox.handle, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **one},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    print(f"{VIDEOS} videos in {time.monotonic() - begun:.0f} s")
    assert done.returncode == 0, done.stderr
    *items, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert Counter(item["status"] for item in items) == {"done": VIDEOS}
    assert last["summary"]["done"] == VIDEOS

    library = Library(load(library_dir=tmp_path / "share", state_dir=tmp_path / "look"))
    entries = list(library.entries())
    assert len(entries) == VIDEOS
    assert {library.read(entry).attempts for entry in entries} == {1}, "each was run once"
    settings = load(
        odin_base_url=sandbox.url,
        odin_api_key=sandbox.spec.odin.key,
        odin_api_secret=sandbox.spec.odin.secret,
        odin_project_id=sandbox.spec.odin.project_ids[0],
    )
    with OdinClient(settings) as client:
        documents = Counter(document.video_id for document in client.documents(recursive=True))
    assert documents == Counter(video.id for video in sandbox.videos)

    work = {place: transcriptions(tmp_path / place) for place in ("one", "two")}
    print(f"transcriptions: {work}")
    assert sum(work.values()) == VIDEOS, "none was transcribed twice"
    assert min(work.values()) > 0, "both machines worked"
    assert shares(str(card.url)) == work


def transcriptions(state: Path) -> int:
    """How many the engine of a machine did, by its log."""
    logs = "".join(file.read_text("utf-8") for file in (state / "logs").glob("engine.log*"))
    return sum("transcribe" in line and line.endswith("done") for line in logs.splitlines())


def shares(url: str) -> dict[str, int]:
    """Runs of videos by the state folder that ends the worker's name."""
    program = """
from collections import Counter
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
videos = FlowFilter(name=FlowFilterName(any_=["process-video"]))
with get_client(sync_client=True) as client:
    runs = client.read_flow_runs(flow_filter=videos)
names = Counter(run.labels["prefect.worker.name"].rpartition("-")[2] for run in runs)
import json; print(json.dumps(names))
"""
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PREFECT_API_URL": url},
        capture_output=True,
        check=True,
    )
    return dict(json.loads(told.stdout.splitlines()[-1]))
