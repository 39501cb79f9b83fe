"""A running sandbox that all tests here share, and a maker of ones that a test may bend."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox import Sandbox, SandboxSpec
from sandbox.demo_channel import DEMO_CHANNEL, obstacles
from sandbox.spec import ApiKey, OdinSpec, SandboxChannel

BUSY_CHANNEL = SandboxChannel(
    id="UCbusybusybusybusybusyAA", handle="@busy", title="Busy", generated=120
)


def wide_spec() -> SandboxSpec:
    channel = DEMO_CHANNEL.with_videos(*obstacles(datetime.now(UTC)))
    return SandboxSpec(
        channels=(channel, BUSY_CHANNEL),
        api_keys=(ApiKey(key="rich"), ApiKey(key="poor", units=2, searches=1)),
        odin=OdinSpec(indexing_s=0.0, max_bytes=300_000),
    )


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spoken talks: every sandbox of these tests takes them from here."""
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Iterator[Sandbox]:
    """The demo channel with every obstacle, and a busy channel; indexing takes no time."""
    state = tmp_path_factory.mktemp("sandbox")
    with Sandbox(state, spec=wide_spec(), recordings=recordings) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, recordings: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes of a test's own; the same name means the same state folder."""
    running: list[Sandbox] = []

    def starting(name: str = "one", port: int = 0, spec: SandboxSpec | None = None) -> Sandbox:
        made = Sandbox(tmp_path / name, port=port, spec=spec, recordings=recordings)
        running.append(made)
        made.start()
        return made

    yield starting
    for one in running:
        one.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "empty"
    made.mkdir()
    return made


@pytest.fixture
def youtube(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Asks the Data API with the key that has units."""
    with httpx.Client(
        base_url=f"{sandbox.url}/youtube/v3", headers={"X-Goog-Api-Key": "rich"}
    ) as client:
        yield client


@pytest.fixture
def odin(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Asks ODIN AI's stand-in with the privileged key, and leaves it empty."""
    with odin_client(sandbox) as client:
        yield client
        known = client.get(f"/project/{project(sandbox)}/knowledge").json()["knowledge_base"]
        resources = [{"name": "", "key": key} for key in known]
        body = {"project_id": project(sandbox), "resources": resources}
        client.request("DELETE", "/project/knowledge/delete", json=body)


def odin_client(sandbox: Sandbox) -> httpx.Client:
    odin = sandbox.spec.odin
    headers = {"X-API-KEY": odin.key, "X-API-SECRET": odin.secret}
    return httpx.Client(base_url=sandbox.url, headers=headers)


def project(sandbox: Sandbox) -> str:
    return sandbox.spec.odin.project_ids[0]
