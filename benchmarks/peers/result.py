"""What a measurement leaves behind: every run, and the medians."""

import statistics
from collections.abc import Sequence
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from benchmarks.peers.machine import Machine


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Recording(_Part):
    """A recording whose words are known; `words` counts them."""

    file: str
    language: str
    duration_s: float
    words: int


class Run(_Part):
    """One process: `wall_s` from the file to the last segment, the model being loaded.

    `load_s` is what came before: loading, and hearing the warm-up speech. `place` is its place in
    the order of its round, from 1. `cpu_s` is the processor time that it took, `others_cpu_s` what
    other programs took meanwhile. Megabytes are of a million bytes.
    """

    peer: str
    file: str
    round: int
    place: int
    load_s: float
    wall_s: float
    cpu_s: float
    others_cpu_s: float
    times_real_time: float
    peak_mb: float
    word_error_rate: float
    language: str | None


class Row(_Part):
    """The medians of one peer on one recording, and how far its times lie apart."""

    peer: str
    label: str
    file: str
    runs: int
    wall_s: float
    fastest_s: float
    slowest_s: float
    times_real_time: float
    peak_mb: float
    word_error_rate: float


class Unmeasured(_Part):
    """What has no figure, and why; `file` None: none at all."""

    subject: str
    file: str | None
    reason: str


class Result(_Part):
    """A whole measurement."""

    date: str
    model: str
    threads: int
    rounds: int
    machine: Machine
    versions: dict[str, str]
    labels: dict[str, str]
    parameters: dict[str, dict[str, str | int | float | bool]]
    recordings: list[Recording]
    rows: list[Row]
    unmeasured: list[Unmeasured]
    runs: list[Run]


def medians(runs: Sequence[Run], labels: dict[str, str]) -> list[Row]:
    """A row for every recording and peer, recording by recording, the fastest first."""

    def subject(run: Run) -> tuple[str, str]:
        return run.file, run.peer

    rows = []
    for (file, peer), group in groupby(sorted(runs, key=subject), key=subject):
        mine = list(group)
        walls = [run.wall_s for run in mine]
        rows.append(
            Row(
                peer=peer,
                label=labels[peer],
                file=file,
                runs=len(mine),
                wall_s=round(statistics.median(walls), 2),
                fastest_s=min(walls),
                slowest_s=max(walls),
                times_real_time=round(statistics.median(run.times_real_time for run in mine), 1),
                peak_mb=round(statistics.median(run.peak_mb for run in mine)),
                word_error_rate=round(statistics.median(run.word_error_rate for run in mine), 4),
            )
        )
    return sorted(rows, key=lambda row: (row.file, row.wall_s))
