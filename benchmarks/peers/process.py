"""The process in which one peer listens to one recording.

python -m benchmarks.peers.process PEER FORMS RECORDING THREADS OUT

Loads the model, lets it hear the warm-up speech, and only then starts the clock.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.peers import roster
from benchmarks.peers.memory import own_high_water
from benchmarks.peers.peer import Forms
from benchmarks.peers.processor import spent


@dataclass(frozen=True)
class Take:
    """What came of it; `wall_s` runs from the file to the last segment.

    In that time this peer spent `cpu_s` of processor time, and other programs `others_cpu_s`.
    """

    warm_up: str
    text: str
    language: str | None
    load_s: float
    wall_s: float
    cpu_s: float
    others_cpu_s: float
    high_water_bytes: int


def main(key: str, forms: str, recording: str, threads: str, out: str) -> None:
    """Listen, and write the take to the file `out`."""
    hold_to(int(threads))
    given = Forms(Path(forms))
    began = time.perf_counter()
    with roster.named(key).load(given, int(threads)) as listen:
        warm_up = listen(given.warm_up)
        before, loaded = spent(), time.perf_counter()
        heard = listen(Path(recording))
        ended, after = time.perf_counter(), spent()
    take = Take(
        warm_up=warm_up.text,
        text=heard.text,
        language=heard.language,
        load_s=loaded - began,
        wall_s=ended - loaded,
        cpu_s=after.since(before).family_s,
        others_cpu_s=after.since(before).others_s,
        high_water_bytes=own_high_water(),
    )
    Path(out).write_text(json.dumps(asdict(take)), encoding="utf-8")


def hold_to(cores: int) -> None:
    """Let this process and all that it starts run on so many cores, where the system can."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        process.cpu_affinity(process.cpu_affinity()[:cores])


if __name__ == "__main__":
    main(*sys.argv[1:])
