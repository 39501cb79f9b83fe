"""Which begun run has lost its process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending, Running, State

from deployments.leftovers import _is_lost

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
RUN = uuid4()


@pytest.fixture(scope="module")
def living() -> Iterator[int]:
    """The process of the run."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
        env={**os.environ, "PREFECT__FLOW_RUN_ID": str(RUN)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.communicate()


def run_of(state: State, age_s: float, pid: int | None, worker: str | None = "here") -> FlowRun:
    return FlowRun(
        id=RUN,
        flow_id=uuid4(),
        state=state.model_copy(update={"timestamp": NOW - timedelta(seconds=age_s)}),
        infrastructure_pid=str(pid) if pid else None,
        labels={"prefect.worker.name": worker} if worker else {},
    )


@pytest.mark.parametrize(
    ("state", "age_s", "lost"),
    [
        (Running(), 10, False),
        (Running(), 20, True),
        (Pending(), 20, False),
        (Pending(name="Submitting"), 70, True),
    ],
)
def test_a_run_without_a_process_is_lost_after_a_while(
    state: State, age_s: float, lost: bool
) -> None:
    assert _is_lost(run_of(state, age_s, None), "here", NOW) is lost


def test_a_run_with_a_process_is_not_lost_however_long_it_takes(living: int) -> None:
    assert not _is_lost(run_of(Running(), 1e5, living), "here", NOW)


def test_a_process_id_that_was_given_to_another_is_no_process() -> None:
    assert _is_lost(run_of(Running(), 20, os.getpid()), "here", NOW)


def test_what_another_machines_worker_does_is_left_alone() -> None:
    assert not _is_lost(run_of(Running(), 1e5, None, "there"), "here", NOW)


def test_what_was_claimed_by_nobody_one_knows_is_lost_after_a_longer_while() -> None:
    assert not _is_lost(run_of(Pending(), 80, None, None), "here", NOW)
    assert _is_lost(run_of(Pending(), 100, None, None), "here", NOW)
    assert not _is_lost(run_of(Running(), 1e5, None, None), "here", NOW)
