"""One sandbox, Prefect server and worker for all tests of flows: real ones, started once."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.station import Station
from engine.library.shelf import Library
from engine.settings import Settings, load
from sandbox.demo_channel import DEMO_CHANNEL
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo

FRESH = SandboxChannel(id=f"UC{'f' * 22}", handle="@fresh", title="Fresh")


@pytest.fixture(scope="session")
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """The stand-ins for YouTube and ODIN AI; four talks are enough for the fast tests."""
    whole = request.config.option.markexpr == "e2e"
    newest = tuple(DEMO_CHANNEL.all_videos()[: 7 if whole else 4])
    channel = DEMO_CHANNEL.model_copy(update={"videos": newest, "playlists": ()})
    spec = SandboxSpec(channels=(channel,))
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running:
        yield running


@pytest.fixture(scope="session")
def surroundings(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of this session's commands and runs."""
    home = tmp_path_factory.mktemp("station")
    return {
        "LIBRARY_DIR": str(home / "library"),
        "STATE_DIR": str(home / "state"),
        "WHISPER_MODEL": "base",
        "HF_HUB_OFFLINE": "1",
        "ENGINE_PORT": "0",
        "PYTHONPATH": str(Path(__file__).parent / "killer"),
        "TONSPUR_KILL_PLAN": str(home / "kill.plan"),
        **sandbox.environment(),
    }


@pytest.fixture
def kill_plan(surroundings: dict[str, str]) -> Path:
    """Where a test says at which moment the next flow run is to die."""
    return Path(surroundings["TONSPUR_KILL_PLAN"])


@pytest.fixture(scope="session")
def station(surroundings: dict[str, str]) -> Iterator[Station]:
    """Server, deployments and worker."""
    before = dict(os.environ)
    os.environ.update(surroundings)
    try:
        with Station(load()) as running:
            yield running
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True)
def own_surroundings(
    station: Station,
    sandbox: Sandbox,
    surroundings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """The tests share the station; each works in a folder of its own, and leaves no fault."""
    for name, value in (surroundings | station.server.environment()).items():
        monkeypatch.setenv(name, value)
    # the commands shall find this session's server as a user's second command would
    monkeypatch.delenv("PREFECT_API_URL")
    monkeypatch.chdir(tmp_path)
    yield
    sandbox.drop_faults()


@pytest.fixture
def new_video(sandbox: Sandbox) -> Callable[..., SandboxVideo]:
    """Puts another video on a second channel, with the sound of `like`: nobody else works on it."""

    def make(like: SandboxVideo | None = None) -> SandboxVideo:
        first, *others = sandbox.spec.channels
        mine = others[0] if others else FRESH
        number = len(mine.videos)
        made = SandboxVideo(
            id=f"fresh{number:06}",
            title=f"Fresh talk {number}",
            published=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number),
            talk=like.talk if like else "tea",
            times=like.times if like else 1,
            language=like.language if like else "en",
            container=like.container if like else "m4a",
        )
        channels = (first, mine.with_videos(made))
        sandbox.change(sandbox.spec.model_copy(update={"channels": channels}))
        return made

    return make


@pytest.fixture
def settings() -> Settings:
    """The settings of the session."""
    return load()


@pytest.fixture
def library(settings: Settings) -> Library:
    """The library of the session."""
    return Library(settings)
