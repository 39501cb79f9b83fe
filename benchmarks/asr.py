"""This engine beside its peers: same weights, same recordings, runs in turn.

python -m benchmarks.asr FOLDER [--runs N] [--out FILE.json] [--svg FILE.svg]
python -m benchmarks.asr --draw FILE.json --svg FILE.svg

FOLDER holds recordings, and JSON files with `file`, `language` and `reference`, or lists of such
objects; nothing is written to it. Every run is a process of its own. The clock starts when the
model is loaded and has heard a few seconds of other speech, and stops at the last segment: it
covers decoding, speech detection and transcription.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.machine import this_machine
from benchmarks.peers.peer import Peer
from benchmarks.peers.result import Recording, Result, Unmeasured, medians
from benchmarks.peers.roster import OURS, ROSTER, missing, versions
from benchmarks.peers.rounds import Task, measured
from benchmarks.peers.sound import seconds
from benchmarks.peers.weights import made
from benchmarks.plot import picture
from benchmarks.plot_table import markdown
from benchmarks.talks import references

_NOT_HERE = Unmeasured(
    subject="CUDA", file=None, reason="this measures processors; benchmarks/gpu.py does the rest"
)


def tasks_of(folder: Path, only: Sequence[str]) -> list[Task]:
    """The folder's recordings that have a reference; `only` names some of them, or none: all."""
    tasks = []
    for item in references(folder):
        if only and item["file"] not in only:
            continue
        media = folder / item["file"]
        about = Recording(
            file=item["file"],
            language=item["language"],
            duration_s=round(seconds(media), 3),
            words=len(item["reference"].split()),
        )
        tasks.append(Task(about, media, item["reference"]))
    return tasks


def result_of(
    tasks: Sequence[Task], peers: Sequence[Peer], cache: Path, rounds: int, threads: int
) -> Result:
    """Measure these peers on these recordings; those that are not installed are told."""
    lacks = {peer.key: missing(peer) for peer in peers}
    present = tuple(peer for peer in peers if lacks[peer.key] is None)
    absent = [
        Unmeasured(subject=key, file=None, reason=f"{package} is not installed")
        for key, package in lacks.items()
        if package is not None
    ]
    labels = {peer.key: peer.label for peer in present}
    found = measured(present, tasks, made(cache), rounds, threads, _tell)
    return Result(
        date=datetime.now(UTC).date().isoformat(),
        model="base",
        threads=threads,
        rounds=rounds,
        machine=this_machine(),
        versions=versions(present),
        labels=labels,
        parameters={peer.key: peer.parameters for peer in present},
        recordings=[task.recording for task in tasks],
        rows=medians(found.runs, labels),
        unmeasured=[_NOT_HERE, *absent, *found.unmeasured],
        runs=found.runs,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure or draw; 1 when this engine itself gave no figure somewhere."""
    asked = _parser().parse_args(arguments)
    if asked.draw:
        result = Result.model_validate_json(asked.draw.read_bytes())
    elif asked.folder is None:
        _parser().error("name a FOLDER, or a result to --draw")
    else:
        result = _measure(asked)
        if asked.out:
            text = result.model_dump_json(indent=1) + "\n"
            asked.out.write_text(text, encoding="utf-8")
    if asked.svg:
        asked.svg.write_text(picture(result, OURS), encoding="utf-8")
    print(markdown(result, OURS))
    return int(any(lost.subject == OURS for lost in result.unmeasured))


def _measure(asked: argparse.Namespace) -> Result:
    tasks = tasks_of(asked.folder, asked.only)
    if not tasks:
        raise SystemExit(f"{asked.folder} holds no such recording with a reference.")
    peers = [peer for peer in ROSTER if not asked.peers or peer.key in asked.peers]
    if asked.cache:
        return result_of(tasks, peers, asked.cache, asked.runs, asked.threads)
    with tempfile.TemporaryDirectory() as cache:
        return result_of(tasks, peers, Path(cache), asked.runs, asked.threads)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    keys = [peer.key for peer in ROSTER]
    parser = argparse.ArgumentParser(prog="benchmarks.asr", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=1, help="rounds")
    parser.add_argument("--out", type=Path, help="the result as JSON")
    parser.add_argument("--svg", type=Path, help="the result as a picture")
    parser.add_argument("--draw", type=Path, help="a result of before, in place of a measurement")
    parser.add_argument("--only", nargs="+", default=[], metavar="FILE", help="these recordings")
    parser.add_argument("--peers", nargs="+", default=[], choices=keys, metavar="PEER")
    parser.add_argument("--threads", type=int, default=2, help="and cores")
    parser.add_argument("--cache", type=Path, help="keeps the converted weights")
    return parser


if __name__ == "__main__":
    sys.exit(main())
