import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from benchmarks.peers import processor, rounds
from benchmarks.peers.machine import this_machine
from benchmarks.peers.memory import PeakOfFamily, own_high_water
from benchmarks.peers.peer import Forms, Heard, Listener
from benchmarks.peers.result import Recording
from benchmarks.peers.roster import OURS, ROSTER, missing, named

MEGABYTES = 150


@dataclass(frozen=True)
class Deaf:
    """A peer that no process knows, and whose package nobody has."""

    key: str = "deaf"
    label: str = "Deaf"
    packages: tuple[str, ...] = ("psutil", "a-package-that-is-not-there")

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        return {}

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        yield lambda media: Heard("", None)


def test_every_peer_has_a_name_of_its_own_and_ours_is_among_them() -> None:
    keys = [peer.key for peer in ROSTER]
    assert len(set(keys)) == len({peer.label for peer in ROSTER}) == len(ROSTER)
    assert named(OURS).label == "Tonspur"
    assert named("faster-whisper-batched").parameters["beam_size"] == 5
    assert named("faster-whisper-batched").parameters["vad_filter"] is True


def test_a_peer_lacks_the_first_package_that_is_not_installed() -> None:
    assert missing(Deaf()) == "a-package-that-is-not-there"


def test_every_peer_comes_first_once() -> None:
    order = [rounds.rotated(ROSTER, turn) for turn in range(len(ROSTER))]
    assert [row[0] for row in order] == list(ROSTER)
    assert all(sorted(p.key for p in row) == sorted(p.key for p in ROSTER) for row in order)
    assert rounds.rotated([], 3) == []


def test_a_peer_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    about = Recording(file="a.wav", language="en", duration_s=1.0, words=1)
    task = rounds.Task(about, tmp_path / "a.wav", "hello")
    told: list[str] = []
    found = rounds.measured([Deaf()], [task], Forms(tmp_path), 3, 2, told.append)
    assert found.runs == []
    (lost,) = found.unmeasured
    assert (lost.subject, lost.file) == ("deaf", "a.wav")
    assert "status 1: KeyError: 'deaf'" in lost.reason
    assert len(told) == 1  # and it is not asked again


def test_the_memory_of_a_process_that_a_process_starts_counts() -> None:
    hungry = f"held = b'x' * {MEGABYTES * 10**6}; import time; time.sleep(30)"
    light = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    process = subprocess.Popen([sys.executable, "-c", light])
    watch = PeakOfFamily(process.pid)
    try:
        deadline = time.monotonic() + 20
        while watch._peak < MEGABYTES * 10**6 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        rounds._end(process)
    assert MEGABYTES * 10**6 <= watch.stop() < 3 * MEGABYTES * 10**6


def test_an_ended_run_leaves_no_process() -> None:
    light = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", light], stdin=subprocess.PIPE)
    parent = psutil.Process(process.pid)
    deadline = time.monotonic() + 20
    while not (children := parent.children()) and time.monotonic() < deadline:
        time.sleep(0.02)
    rounds._end(process)
    assert children
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() for child in children)
    rounds._end(process)


def test_memory_that_was_given_back_is_in_the_high_water() -> None:
    held = b"x" * (MEGABYTES * 10**6)
    del held
    assert own_high_water() >= MEGABYTES * 10**6


def test_time_that_we_spend_is_not_that_of_others() -> None:
    before = processor.spent()
    began = time.process_time()
    while time.process_time() - began < 0.3:
        sum(range(10_000))
    took = processor.spent().since(before)
    assert took.family_s >= 0.25
    assert took.machine_s >= took.family_s - 0.1
    assert processor.Spent(2.0, 1.9).others_s == 0.0


def test_the_machine_is_described() -> None:
    machine = this_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.memory_gib > 0.5


@pytest.mark.skipif(not hasattr(psutil.Process, "cpu_affinity"), reason="this system cannot")
def test_a_run_is_held_to_its_cores() -> None:
    code = (
        "import psutil; from benchmarks.peers.process import hold_to; hold_to(1);"
        "print(len(psutil.Process().cpu_affinity()))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert done.stdout.strip() == b"1"
