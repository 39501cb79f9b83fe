"""What the GPU slot costs by itself: tasks that hold it for half a second and do nothing else."""

import statistics
from dataclasses import dataclass
from itertools import pairwise
from time import sleep, time

from prefect import flow, task
from prefect.client.orchestration import get_client

from benchmarks.timeline import Span
from deployments.worker import WORK_POOL

GPU_TAG = "gpu"
FLOWS = 4
TASKS = 5
HELD_S = 0.5
_ENTRYPOINT = "benchmarks.hand_over.holders"


@dataclass(frozen=True)
class HandOver:
    """Seconds between the end of a task and the start of the next, while others were waiting."""

    tasks: int
    held_s: float
    median_s: float
    mean_s: float
    largest_s: float


@task(tags=[GPU_TAG])
def hold() -> Span:
    """Hold the slot; when, by the clock of this machine."""
    begun = time()
    sleep(HELD_S)
    return Span(begun, time())


@flow(name="holders")
def holders() -> None:
    """Several holders, one after the other."""
    for _ in range(TASKS):
        hold()


def measured() -> HandOver:
    """Several flow runs that want the one slot at the same time."""
    from prefect.deployments import run_deployment

    from tasks.queue import wait_for

    with get_client(sync_client=True) as client:
        client.create_deployment(
            flow_id=client.create_flow(holders),
            name="holders",
            entrypoint=_ENTRYPOINT,
            work_pool_name=WORK_POOL,
            pull_steps=[],
        )
    runs = [run_deployment("holders/holders", timeout=0, as_subflow=False).id for _ in range(FLOWS)]
    wait_for(runs)
    with get_client(sync_client=True) as client:
        tasks = client.read_task_runs(limit=200)
    mine = [run for run in tasks if run.name.startswith("hold-")]
    spans = sorted(Span(run.start_time.timestamp(), run.end_time.timestamp()) for run in mine)
    # At both ends there are fewer who wait: while processes start, and when they have ended.
    inner = spans[FLOWS:-FLOWS]
    gaps = [max(0.0, later.start - earlier.end) for earlier, later in pairwise(inner)]
    return HandOver(
        tasks=len(spans),
        held_s=HELD_S,
        median_s=round(statistics.median(gaps), 3),
        mean_s=round(statistics.mean(gaps), 3),
        largest_s=round(max(gaps), 3),
    )
