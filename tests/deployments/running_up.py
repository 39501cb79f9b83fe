"""`tonspur up` beside a test, which then talks to its Prefect server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployments import server
from engine.settings import Settings, load

ROOT = Path(__file__).parents[2]


@contextmanager
def running_up(
    environment: Mapping[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Up with these settings, until the end of the block; its log is printed then."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    log_file = folder / "up.log"
    with log_file.open("w", encoding="utf-8") as log:
        up = subprocess.Popen(
            [sys.executable, "-P", "-m", "tonspur", "up"],
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        known = load()
        try:
            while "Tonspur is up" not in log_file.read_text(encoding="utf-8"):
                assert up.poll() is None
                time.sleep(0.2)
            for name, value in server.environment(known).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("PREFECT_API_URL", str(server.find(known)))
            from prefect.context import refresh_global_settings_context

            refresh_global_settings_context()
            yield known
        finally:
            up.terminate()
            up.wait(25)
            print(log_file.read_text(encoding="utf-8"))
