"""Runs in turn: each round lets every peer hear every recording, in another order."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.peers.memory import PeakOfFamily
from benchmarks.peers.peer import Forms, Peer
from benchmarks.peers.process import Take
from benchmarks.peers.result import Recording, Run, Unmeasured
from benchmarks.peers.weights import WARM_UP
from sandbox.accuracy import word_error_rate

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 300.0
_PATIENCE_TIMES = 10.0
"""A peer may take so long, and so many times as long as the recording sounds."""
_LARGEST_ERROR = 0.2
"""Of the warm-up speech, which the model understands without an error."""


class Failure(Exception):  # noqa: N818
    """A peer gave no figure; the message says why."""


@dataclass(frozen=True)
class Task:
    """A recording, where it lies, and what is said in it."""

    recording: Recording
    media: Path
    reference: str


@dataclass(frozen=True)
class Measured:
    """All runs, and what gave none."""

    runs: list[Run]
    unmeasured: list[Unmeasured]


def measured(
    peers: Sequence[Peer],
    tasks: Sequence[Task],
    forms: Forms,
    rounds: int,
    threads: int,
    tell: Callable[[str], None],
) -> Measured:
    """Run everything `rounds` times, one process at a time.

    A peer that fails on a recording is not asked about it again.
    """
    runs: list[Run] = []
    failed: dict[tuple[str, str], str] = {}
    for turn in range(rounds):
        for number, task in enumerate(tasks):
            file = task.recording.file
            order = rotated(peers, turn + number)
            for place, peer in enumerate(order, start=1):
                if (peer.key, file) in failed:
                    continue
                try:
                    run = _run(peer, task, forms, turn + 1, place, threads)
                except Failure as failure:
                    failed[peer.key, file] = str(failure)
                    tell(f"{file}: {peer.key}: {failure}")
                    continue
                runs.append(run)
                tell(
                    f"{file}: {peer.key}: {run.wall_s:.1f} s, error rate "
                    f"{run.word_error_rate:.3f}, others took {run.others_cpu_s:.1f} s of the cores"
                )
    lost = [Unmeasured(subject=key, file=file, reason=why) for (key, file), why in failed.items()]
    kept = [run for run in runs if (run.peer, run.file) not in failed]
    return Measured(kept, lost)


def rotated(peers: Sequence[Peer], turn: int) -> list[Peer]:
    """The peers in an order that begins with another one each turn."""
    start = turn % len(peers) if peers else 0
    return [*peers[start:], *peers[:start]]


def _run(peer: Peer, task: Task, forms: Forms, turn: int, place: int, threads: int) -> Run:
    take, peak = _take(peer.key, task, forms, threads)
    # Weights that were converted wrongly are heard at once.
    if word_error_rate(WARM_UP, take.warm_up, "en") > _LARGEST_ERROR:
        raise Failure(f"misunderstands the warm-up speech: {take.warm_up[:80]!r}")
    about = task.recording
    return Run(
        peer=peer.key,
        file=about.file,
        round=turn,
        place=place,
        load_s=round(take.load_s, 2),
        wall_s=round(take.wall_s, 3),
        cpu_s=round(take.cpu_s, 2),
        others_cpu_s=round(take.others_cpu_s, 2),
        times_real_time=round(about.duration_s / take.wall_s, 2),
        peak_mb=round(max(peak, take.high_water_bytes) / 1e6, 1),
        word_error_rate=round(word_error_rate(task.reference, take.text, about.language), 4),
        language=take.language,
    )


def _take(key: str, task: Task, forms: Forms, threads: int) -> tuple[Take, int]:
    """What a process of its own heard, and the largest memory of its family in bytes."""
    patience = _PATIENCE_S + _PATIENCE_TIMES * task.recording.duration_s
    with tempfile.TemporaryDirectory() as folder:
        out, said = Path(folder) / "take.json", Path(folder) / "said.txt"
        given = [key, str(forms.folder), str(task.media), str(threads), str(out)]
        with said.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.peers.process", *given],
                env=_environment(threads),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        watch = PeakOfFamily(process.pid)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"was not done after {patience:.0f} s") from error
        finally:
            _end(process)
            peak = watch.stop()
        if process.returncode:
            lines = said.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            raise Failure(f"ended with status {process.returncode}: {last[:200]}")
        return Take(**json.loads(out.read_text(encoding="utf-8"))), peak


def _environment(threads: int) -> dict[str, str]:
    """Ours, with the number of threads for every library, and no hub."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": path}
    return os.environ | dict.fromkeys(names, str(threads)) | quiet


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of a run is left beside the next one."""
    if process.poll() is not None:
        return
    parent = psutil.Process(process.pid)
    for one in (*parent.children(recursive=True), parent):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
