"""When a task is tried again: after temporary failures alone, with growing pauses."""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from engine.errors import Temporary

TRIES_MORE = 3
_FIRST_PAUSE_SECONDS = 5


def worth_retrying(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether the failure may pass by itself while the task waits."""
    try:
        state.result()
    except Temporary as error:
        return error.soon and not error.stops_batch
    except Exception:
        return False  # permanent, deferred or a bug: another try changes nothing
    return False


# the files are the checkpoints: Prefect's own result cache is not needed
STEP: dict[str, Any] = {
    "retries": TRIES_MORE,
    "retry_delay_seconds": exponential_backoff(_FIRST_PAUSE_SECONDS),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_retrying,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}
