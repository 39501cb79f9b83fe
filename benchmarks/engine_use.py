"""When the engine worked and when a video was ready for it, from its log and Prefect's runs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TaskRun

from benchmarks.timeline import Span, length, minus, union

_JOB = re.compile(
    r"^(\S+ \S+) INFO \S+: job \d+: transcribe \S+ took ([\d.]+) s: \w+$", re.MULTILINE
)
_PAGE = 200


@dataclass(frozen=True)
class EngineUse:
    """Seconds in which it worked, in which a prepared video was there, and of those, idle."""

    busy_s: float
    ready_s: float
    idle_s: float


def engine_use(log: Path) -> EngineUse:
    """What the engine with this log has done for the runs of the server of PREFECT_API_URL."""
    jobs = _jobs(log)
    runs = _task_runs()
    ready = union(_ready(runs, jobs))
    busy = union(jobs)
    return EngineUse(length(busy), length(ready), length(minus(ready, busy)))


def _ready(runs: Iterable[TaskRun], jobs: list[Span]) -> Iterable[Span]:
    """For each video: from the end of its preparation to the end of the engine's work on it."""
    audio, transcript = _by_flow(runs, "audio"), _by_flow(runs, "transcript")
    for flow, task in transcript.items():
        mine = [job for job in jobs if task.start - 1 <= job.start and job.end <= task.end + 1]
        if mine and flow in audio:
            yield Span(audio[flow].end, mine[-1].end)


def _by_flow(runs: Iterable[TaskRun], step: str) -> dict[object, Span]:
    return {
        run.flow_run_id: Span(run.start_time.timestamp(), run.end_time.timestamp())
        for run in runs
        if run.name.startswith(step) and run.start_time and run.end_time
    }


def _jobs(log: Path) -> list[Span]:
    spans = []
    for stamp, seconds in _JOB.findall(log.read_text(encoding="utf-8")):
        end = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").timestamp()
        spans.append(Span(end - float(seconds), end))
    return spans


def _task_runs() -> list[TaskRun]:
    found: list[TaskRun] = []
    with get_client(sync_client=True) as client:
        while page := client.read_task_runs(limit=_PAGE, offset=len(found)):
            found += page
    return found
