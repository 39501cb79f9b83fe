"""A transcription that waits for the GPU slot, on the dashboard.

Prefect 3 acquires the slot of a tag in the process of the run, and shows a task that waits for it
as Pending like any other.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Pending

AWAITING = "AwaitingConcurrencySlot"
_LOOK_SECONDS = 1.0
_FREE_SECONDS = 10.0
_FREE_LOOKS = 6
"""Who waits asks for the slot twice a second; so often in a row it is not free by chance."""


def limit_of(slot: str) -> str:
    """How Prefect names the limit behind a tag."""
    return f"tag:{slot}"


@contextmanager
def shown_as_waiting(task: str, name: str, slot: str) -> Iterator[Callable[[], None]]:
    """Show this run's pending task `task` under its `name`, as waiting for the `slot`.

    Yields:
        What the task calls when it has the slot.
    """
    begun, showing = Event(), Lock()
    run_id = flow_run.id

    def show() -> None:
        while run_id and not begun.wait(_LOOK_SECONDS):
            with showing:
                if begun.is_set() or _shown(UUID(run_id), task, name):
                    break
        free = 0
        while run_id and free < _FREE_LOOKS and not begun.wait(_FREE_SECONDS):
            free = free + 1 if _is_free(slot) else 0
        if run_id and not begun.is_set():
            # The wait was lost with a Prefect server that died (seen with 3.8.8): it never ends.
            # A crash is reported and retried.
            os._exit(1)

    def begin() -> None:
        begun.set()
        with showing:
            return  # from now on its state is what the task says

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield begin
    finally:
        begin()


def _is_free(slot: str) -> bool:
    try:
        with get_client(sync_client=True) as client:
            return not client.read_global_concurrency_limit_by_name(limit_of(slot)).active_slots
    except (httpx.HTTPError, ObjectNotFound):
        return False


def _shown(run_id: UUID, task: str, name: str) -> bool:
    mine = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    pending = TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.PENDING]))
    state = Pending(name=AWAITING, message="The GPU works on another recording.")
    try:
        with get_client(sync_client=True) as client:
            runs = client.read_task_runs(
                flow_run_filter=mine, task_run_filter=TaskRunFilter(state=pending)
            )
            waiting = [run for run in runs if run.name.startswith(task)]
            for run in waiting:
                client.set_task_run_name(run.id, name)
                client.set_task_run_state(run.id, state, force=True)
    except httpx.HTTPError:
        return False  # the server is busy or being started again: the next look tries it again
    return bool(waiting)
