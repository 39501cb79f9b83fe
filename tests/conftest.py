"""Fixtures that every folder of tests uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library.shelf import Library
from engine.settings import Settings, load


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's settings, `.env`, library or state."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("API_KEY", "API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIBRARY_DIR", str(tmp_path / "library"))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
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


@pytest.fixture
def kept_environment() -> Iterator[None]:
    """For what changes os.environ itself, as commands do."""
    before, folder = dict(os.environ), Path.cwd()
    yield
    os.environ.clear()
    os.environ.update(before)
    os.chdir(folder)
