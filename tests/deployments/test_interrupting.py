"""A signal reaches the command, also where Python drops what its handler raised."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals as POSIX has them")

SWALLOWED = """
import time
from deployments import interrupting

class Swallows:
    def __del__(self):
        print("in", flush=True)
        time.sleep(3)  # what is raised in here goes nowhere

interrupting.{listen}()
try:
    Swallows()
    time.sleep(30)
finally:
    interrupting.ended()
    print("over", flush=True)
"""
TIDYING = """
import time
from deployments import interrupting

interrupting.listen()
try:
    print("in", flush=True)
    time.sleep(30)
finally:
    time.sleep(1.5)
    interrupting.ended()
    print("over", flush=True)
"""
UNAWARE = """
import time
from deployments import interrupting

interrupting.listen()
print("in", flush=True)
time.sleep(30)
"""


def told(program: str, number: int, times: int = 1) -> tuple[int, str, float]:
    """Status, output and seconds until the end of a program that got the signal when it was in."""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=os.environ,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "in\n"
        begun = time.monotonic()
        for _ in range(times):
            running.send_signal(number)
            time.sleep(0.5)
        try:
            said = running.communicate(timeout=20)[0]
        finally:
            running.kill()
        return running.returncode, said, time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_swallowed_comes_again(number: int) -> None:
    status, said, lasted_s = told(SWALLOWED.format(listen="listen"), number)
    assert said == "over\n"
    assert status != 0
    assert lasted_s < 10


def test_a_command_that_stays_ends_well_also_at_the_second_try() -> None:
    status, said, lasted_s = told(SWALLOWED.format(listen="listen_for_the_end"), signal.SIGTERM)
    assert (status, said) == (0, "over\n")
    assert lasted_s < 10


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tidying_up_is_not_interrupted_again(number: int, times: int) -> None:
    _, said, _ = told(TIDYING, number, times)
    assert said == "over\n"


def test_a_program_that_does_not_tell_its_end_ends_too() -> None:
    status, _, lasted_s = told(UNAWARE, signal.SIGTERM)
    assert status != 0
    assert lasted_s < 10
