"""`tonspur console` as a command."""

import subprocess
import sys

import pytest

from console.serving import options


def test_it_listens_on_loopback_and_tells_nobody() -> None:
    told = options(8501, open_browser=True)
    assert told["STREAMLIT_SERVER_ADDRESS"] == "127.0.0.1"
    assert told["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert told["STREAMLIT_SERVER_HEADLESS"] == "false"


def test_without_streamlit_it_says_what_to_install() -> None:
    blocked = "import sys; sys.modules['streamlit.web'] = None; import tonspur; tonspur.main()"
    done = subprocess.run(
        [sys.executable, "-c", blocked, "console"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install -e ".[console]"' in done.stderr


def test_a_setting_that_cannot_be_used_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_PRESET", "quick")
    done = subprocess.run(
        [sys.executable, "-m", "tonspur", "console"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert "WHISPER_PRESET" in done.stderr
