"""What the way of a video costs beside the engine, and what a warm engine saves.

python -m benchmarks.pipeline [--videos 20] [--rounds 1] [--only long shorts hand-over] [--out FILE]

Videos of the sandbox go through real deployment runs, `long` ones of ten minutes and `shorts` of
one minute, with the engine of the machine (`warm`) and with a model that every run loads for itself
(`per run`), interleaved. `hand-over` shows the GPU slot alone: tasks that only sleep half a second.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from benchmarks.peak import Peak
from deployments.station import Station
from engine.library.outcome import Outcome
from engine.settings import load
from sandbox.life import Sandbox
from sandbox.spec import OdinSpec, SandboxChannel, SandboxSpec, SandboxVideo

if TYPE_CHECKING:
    from benchmarks.hand_over import HandOver  # Prefect reads its settings when it is imported

WARM, PER_RUN = "warm", "per run"
MODEL = "base"
KINDS = ("long", "shorts", "hand-over")
_TALKS = ("harbor", "bread", "garden", "sleep")
_TIMES = {"long": 17, "shorts": 2}
"""A talk lasts about half a minute."""


@dataclass(frozen=True)
class Row:
    """One sync; seconds, and MB (10^6 bytes) of resident memory of all processes together.

    `engine_s` is the time in which the engine worked on a transcription, `ready_s` that in which at
    least one prepared video was there for it, `idle_s` that of it in which it did nothing; None
    where there is no engine.
    """

    kind: str
    loading: str
    videos: int
    media_s: float
    wall_s: float
    loads: int
    peak_mb: float
    engine_s: float | None
    ready_s: float | None
    idle_s: float | None
    idle_share: float | None
    overhead_per_video_s: float | None


def spec_of(kind: str, videos: int) -> SandboxSpec:
    """A channel of so many videos, all in the knowledge base a second after their upload."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    made = tuple(
        SandboxVideo(
            id=f"{kind[:4]:-<8}{number:03}",
            title=f"{kind} {number}",
            published=first + timedelta(days=number),
            talk=_TALKS[number % len(_TALKS)],
            times=_TIMES[kind],
            short=kind == "shorts",
        )
        for number in range(videos)
    )
    channel = SandboxChannel(id=f"UC{'b' * 22}", handle="@bench", title="Bench", videos=made)
    return SandboxSpec(channels=(channel,), odin=OdinSpec(indexing_s=1.0))


@contextmanager
def station_of(home: Path, sandbox: Sandbox) -> Iterator[Station]:
    """A workstation of its own: nothing is left of it, and nothing of the user's is touched."""
    before = dict(os.environ)
    os.environ |= {
        "LIBRARY_DIR": str(home / "library"),
        "STATE_DIR": str(home / "state"),
        "WHISPER_MODEL": MODEL,
        "ENGINE_PORT": "0",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **sandbox.environment(),
    }
    os.environ.pop("PREFECT_API_URL", None)
    try:
        with Station(load()) as station:
            yield station
    finally:
        os.environ.clear()
        os.environ.update(before)


def synced(kind: str, loading: str, videos: int, recordings: Path) -> Row:
    """One sync of a fresh channel into a fresh library."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        spec = spec_of(kind, videos)
        with (
            Sandbox(home / "sandbox", spec=spec, recordings=recordings) as sandbox,
            station_of(home, sandbox) as station,
        ):
            from deployments import runs

            if loading == PER_RUN:
                station.engine.stop()
            peak = Peak(every_s=0.5)
            begun = time()
            with peak.watched():
                done = runs.sync(sandbox.handle, {})
                outcomes, summary = done.outcomes, done.summary
            wall_s = time() - begun
            if summary.done != videos:
                raise SystemExit(f"{summary.sentence()} {outcomes}")
            return _row(kind, loading, outcomes, wall_s, peak.megabytes)


def _row(
    kind: str, loading: str, outcomes: Sequence[Outcome], wall_s: float, peak_mb: float
) -> Row:
    from benchmarks.engine_use import engine_use

    warm = loading == WARM
    use = engine_use(load().logs_dir / "engine.log") if warm else None
    return Row(
        kind=kind,
        loading=loading,
        videos=len(outcomes),
        media_s=round(sum(item.duration_s or 0 for item in outcomes), 1),
        wall_s=round(wall_s, 1),
        loads=sum((item.load_s or 0) > 0.05 for item in outcomes),
        peak_mb=round(peak_mb),
        engine_s=round(use.busy_s, 1) if use else None,
        ready_s=round(use.ready_s, 1) if use else None,
        idle_s=round(use.idle_s, 1) if use else None,
        idle_share=round(use.idle_s / use.ready_s, 4) if use else None,
        overhead_per_video_s=round((wall_s - use.busy_s) / len(outcomes), 2) if use else None,
    )


def handed_over(recordings: Path) -> "HandOver":
    """The slot alone, at a fresh station."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        spec = SandboxSpec(channels=spec_of("shorts", 0).channels)
        with (
            Sandbox(home / "sandbox", spec=spec, recordings=recordings) as sandbox,
            station_of(home, sandbox),
        ):
            from benchmarks.hand_over import measured

            return measured()


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--loading", nargs="+", choices=(WARM, PER_RUN), default=(WARM, PER_RUN))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as recordings:
        for _ in range(asked.rounds):
            for kind in (kind for kind in asked.only if kind in _TIMES):
                for loading in asked.loading:
                    rows.append(synced(kind, loading, asked.videos, Path(recordings)))
                    print(json.dumps(asdict(rows[-1])), file=sys.stderr, flush=True)
        slot = handed_over(Path(recordings)) if "hand-over" in asked.only else None
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {name: version(name) for name in ("tonspur", "prefect", "torch")},
        "model": MODEL,
        "rows": [asdict(row) for row in rows],
        "times_as_fast_as_per_run": {
            kind: ratio for kind in _TIMES if (ratio := _ratio(rows, kind)) is not None
        },
        "hand_over": asdict(slot) if slot else None,
    }
    text = json.dumps(result, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")


def _ratio(rows: Sequence[Row], kind: str) -> float | None:
    """Median wall time of the runs that load for themselves over that of the warm ones."""
    walls = {
        loading: [row.wall_s for row in rows if (row.kind, row.loading) == (kind, loading)]
        for loading in (WARM, PER_RUN)
    }
    if not all(walls.values()):
        return None
    return round(statistics.median(walls[PER_RUN]) / statistics.median(walls[WARM]), 2)


if __name__ == "__main__":
    main()
