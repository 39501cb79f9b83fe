"""Whole ways through the engine: the weights of base, and sound that ffmpeg makes at test time."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.audio.decoding import ffmpeg_program
from engine.settings import Settings, load
from engine.whisper import packaged
from engine.whisper.transcriber import Transcriber

Ffmpeg = Callable[..., Path]


@pytest.fixture(scope="session")
def base_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder in which the weights of base are converted once."""
    if packaged.find("base") is None:
        pytest.skip("the weights of the extra `demo` are not installed")
    return tmp_path_factory.mktemp("base")


@pytest.fixture(scope="session")
def base_transcriber(base_state: Path) -> Transcriber:
    """Whisper base on the CPU, loaded by the first that needs it."""
    return Transcriber(load(state_dir=base_state, whisper_model="base", whisper_device="cpu"))


@pytest.fixture
def base_settings(base_state: Path) -> Settings:
    """The test's own library, with base on the CPU."""
    return load(state_dir=base_state, whisper_model="base", whisper_device="cpu")


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """Runs ffmpeg with these arguments, which end in the file to write; returns that file."""

    def run(*arguments: str | Path) -> Path:
        argv = [str(ffmpeg_program()), "-loglevel", "error", "-nostdin", "-y"]
        subprocess.run([*argv, *map(str, arguments)], check=True, timeout=120)
        return Path(arguments[-1])

    return run
