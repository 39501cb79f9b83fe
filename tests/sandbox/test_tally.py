from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.faults import Fault
from sandbox.tally import Tally


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tally(tmp_path: Path, clock: Clock) -> Iterator[Tally]:
    made = Tally(tmp_path / "tally.sqlite3", clock)
    yield made
    made.close()


def test_a_key_is_charged_up_to_its_budget_and_never_over(tally: Tally) -> None:
    assert [tally.spend("units", "k", 1, 2) for _ in range(3)] == [True, True, False]
    assert tally.spent("units") == {"k": 2}
    assert tally.spend("searches", "k", 1, 1)
    assert not tally.spend("units", "other", 5, 4)
    assert tally.spent("units") == {"k": 2}


def test_the_budget_is_new_at_pacific_midnight_not_at_utc_midnight(
    tally: Tally, clock: Clock
) -> None:
    assert tally.spend("units", "k", 1, 1)
    clock.time += timedelta(hours=13)
    assert not tally.spend("units", "k", 1, 1)
    clock.time = datetime(2025, 7, 2, 7, 0, tzinfo=UTC)
    assert tally.spend("units", "k", 1, 1)
    assert tally.spent("units") == {"k": 2}


def test_counts_outlive_the_process(tmp_path: Path, tally: Tally) -> None:
    tally.add("requests", "GET /a", 2)
    tally.add("requests", "GET /a")
    tally.add("answers", "GET /a 200", 3)
    other = Tally(tmp_path / "tally.sqlite3")
    assert other.requests() == {"GET /a": 3}
    assert other.answers() == {"GET /a": {"200": 3}}
    other.close()


def test_a_fault_strikes_after_its_skips_and_as_often_as_planned(tally: Tally) -> None:
    tally.plan_fault(Fault(route="/media/*", method="GET", skip=1, times=2, delay_s=1))
    assert tally.due_fault("HEAD", "/media/a") is None
    assert tally.due_fault("GET", "/feeds") is None
    struck = [tally.due_fault("GET", "/media/a") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]
    assert tally.faults()[0]["left"] == 0


def test_a_fault_without_times_strikes_until_it_is_dropped(tally: Tally) -> None:
    tally.plan_fault(Fault(times=None, status=500))
    assert all(tally.due_fault("GET", "/x") for _ in range(9))
    tally.drop_faults()
    assert tally.due_fault("GET", "/x") is None
