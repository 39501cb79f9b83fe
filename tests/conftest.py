"""Fixtures that every folder of tests uses."""

from pathlib import Path

import pytest

from engine.library.shelf import Library
from engine.settings import Settings, load

LEAST_COVERAGE_PERCENT = 90


def pytest_configure(config: pytest.Config) -> None:
    """The whole of the tests must cover the code; a part of them need not."""
    whole = config.args == config.getini("testpaths") and not config.option.keyword
    if whole and config.option.markexpr == "not e2e" and not config.option.collectonly:
        config.option.cov_fail_under = LEAST_COVERAGE_PERCENT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those of the engine before those that start servers."""
    slow = ("tests/deployments", "tests/flows", "tests/test_demo", "tests/test_command")
    items.sort(key=lambda item: any(part in item.path.as_posix() for part in slow))


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's settings, `.env`, library or state."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("API_KEY", "API_SECRET", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIBRARY_DIR", str(tmp_path / "library"))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ENGINE_PORT", "0")
    home = tmp_path / "cwd"
    home.mkdir()
    monkeypatch.chdir(home)


@pytest.fixture
def settings() -> Settings:
    """Settings of a fresh library and state folder."""
    return load()


@pytest.fixture
def library(settings: Settings) -> Library:
    """An empty library."""
    return Library(settings)
