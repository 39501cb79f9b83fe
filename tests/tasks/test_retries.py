from typing import cast

import pytest
from prefect import task
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed

from engine import errors
from tasks.retries import STEP, worth_retrying


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (errors.NetworkTrouble("gone"), True),
        (errors.UnknownTrouble("odd"), True),
        (errors.MediaRefused("403"), False),
        (errors.UnclearVideo("unavailable"), False),
        (errors.ExtractorTrouble("no formats"), False),
        (errors.DrmProtected("encrypted"), False),
        (errors.DiskFull("full"), False),
        (errors.GoneVideo("removed"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_task_is_tried_again_where_minutes_may_help(
    error: errors.TonspurError, again: bool
) -> None:
    @task(**STEP)
    def step() -> None:
        raise error

    run = cast(TaskRun, None)  # not looked at
    assert worth_retrying(step, run, Failed(data=error)) is again
