import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.errors import DownloadsPaused
from engine.settings import Settings
from engine.youtube import pause, slots

ROOT = Path(__file__).resolve().parents[3]
HOLDER = (
    "import sys, time; from engine.settings import Settings; from engine.youtube import slots\n"
    "with slots.held(Settings(_env_file=None, state_dir=sys.argv[1], yt_downloads_at_once=1)):\n"
    "    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def single(settings: Settings) -> Settings:
    return settings.model_copy(update={"yt_downloads_at_once": 1})


def test_no_more_go_side_by_side_than_the_setting_says(settings: Settings) -> None:
    two = settings.model_copy(update={"yt_downloads_at_once": 2})
    inside, most, guard = 0, 0, threading.Lock()

    def transfer() -> None:
        nonlocal inside, most
        with slots.held(two, sleep=lambda seconds: threading.Event().wait(0.01) and None):
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.05)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=transfer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 2)


def test_a_killed_holder_leaves_its_place(single: Settings) -> None:
    argv = [sys.executable, "-c", HOLDER, str(single.state_dir)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waits = 0

        def sleep(seconds: float) -> None:
            nonlocal waits
            waits += 1
            if waits == 2:
                holder.kill()
                holder.wait()

        with slots.held(single, sleep=sleep):
            assert waits == 2


def test_who_waits_for_a_place_sees_the_breaker(single: Settings) -> None:
    def sleep(seconds: float) -> None:
        now = datetime.now(UTC)
        pause.set_until(single, now + timedelta(hours=1), now, "a full disk")

    with slots.held(single), pytest.raises(DownloadsPaused, match="a full disk"):  # noqa: SIM117
        with slots.held(single, sleep=sleep):
            pytest.fail("there is only one place")


def test_what_fails_inside_gives_its_place_back(single: Settings) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), slots.held(single):
            raise ZeroDivisionError
