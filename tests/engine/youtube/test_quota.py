import multiprocessing
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from engine.errors import BadSettings, DiskFull, ServiceTrouble
from engine.youtube import quota
from engine.youtube.quota import PACIFIC, Ledger, key_name, next_reset, pacific_day

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


def test_the_day_starts_at_pacific_midnight_in_summer_and_winter() -> None:
    assert next_reset(datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 2, 7, tzinfo=UTC)
    assert next_reset(datetime(2026, 12, 1, 12, tzinfo=UTC)) == datetime(2026, 12, 2, 8, tzinfo=UTC)
    # The day on which the clock goes back has 25 hours.
    before = datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert next_reset(before) - before == timedelta(hours=25)


@given(moments)
def test_the_next_reset_is_the_first_moment_of_another_day(now: datetime) -> None:
    reset = next_reset(now)
    assert now < reset <= now + timedelta(hours=25)
    assert pacific_day(now) == pacific_day(reset - timedelta(seconds=1))
    assert pacific_day(now) < pacific_day(reset)
    assert reset.astimezone(PACIFIC).hour == 0


def test_a_key_is_named_by_its_hash() -> None:
    name = key_name(SecretStr("key-one"))
    assert len(name) == 12
    assert "key" not in name
    assert name == key_name(SecretStr("key-one")) != key_name(SecretStr("key-two"))


def test_a_charge_is_there_before_anything_is_sent(ledger: Ledger) -> None:
    assert ledger.charge("k", 10) == "2026-11-22"
    assert ledger.spent("k").units == 1
    assert ledger.spent("other").units == 0


def test_a_budget_is_never_passed(ledger: Ledger) -> None:
    assert [bool(ledger.charge("k", 3)) for _ in range(5)] == [True, True, True, False, False]
    assert ledger.spent("k").units == 3
    assert ledger.charge("k", 3, cost=1) is None


def test_units_and_searches_are_two_pots(ledger: Ledger) -> None:
    ledger.charge("k", 10, "searches", cost=4)
    ledger.exhaust("k", "2026-11-22", "searches")
    spent = ledger.spent("k")
    assert (spent.units, spent.searches) == (0, 4)
    assert spent.exhausted("searches")
    assert not spent.exhausted("units")
    assert ledger.charge("k", 10) is not None


def test_an_exhausted_key_is_not_charged_until_the_next_day(tmp_path: Path) -> None:
    present = [datetime(2026, 11, 22, 12, tzinfo=UTC)]
    ledger = Ledger(tmp_path / "deep" / "quota.sqlite3", lambda: present[0])
    ledger.exhaust("k", "2026-11-22")
    assert ledger.charge("k", 10) is None
    assert ledger.reset_at() == datetime(2026, 11, 23, 8, tzinfo=UTC)
    present[0] = ledger.reset_at() - timedelta(seconds=1)
    assert ledger.charge("k", 10) is None
    present[0] = ledger.reset_at()
    assert ledger.charge("k", 10) == "2026-11-23"
    assert ledger.spent("k").units == 1


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 2), st.booleans()),
        max_size=12,
    )
)
def test_the_ledger_counts_like_a_dictionary(steps: list[tuple[str, int, int, bool]]) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        present = datetime(2026, 3, 1, tzinfo=UTC)
        clock = [present]
        ledger = Ledger(Path(folder) / "q.sqlite3", lambda: clock[0])
        counts: dict[tuple[str, str], int] = {}
        empty: set[tuple[str, str]] = set()
        for key, cost, days, exhausts in steps:
            clock[0] += timedelta(days=days)
            day = pacific_day(clock[0])
            if exhausts:
                ledger.exhaust(key, day)
                empty.add((key, day))
            allowed = (key, day) not in empty and counts.get((key, day), 0) + cost <= 5
            assert (ledger.charge(key, 5, cost=cost) == day) is allowed
            counts[key, day] = counts.get((key, day), 0) + cost * allowed
            assert ledger.spent(key).units == counts[key, day]


def _charge_often(path: str, number: int) -> None:
    ledger = Ledger(Path(path), lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    for _ in range(number):
        ledger.charge("k", 150)


def test_processes_share_one_count(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_charge_often, args=(str(path), 60)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert Ledger(path, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)).spent("k").units == 150


def test_the_file_is_in_wal_mode(ledger: Ledger, tmp_path: Path) -> None:
    ledger.charge("k", 1)
    base = sqlite3.connect(tmp_path / "state" / "quota.sqlite3")
    assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    path.write_bytes(b"no database, but long enough to be looked at" * 100)
    with pytest.raises(BadSettings, match=r"quota\.sqlite3"):
        Ledger(path).charge("k", 1)


def test_a_held_file_is_temporary(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "_BUSY_S", 0.05)
    ledger.charge("k", 9)
    other = sqlite3.connect(tmp_path / "state" / "quota.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ServiceTrouble, match="another process"):
        ledger.charge("k", 9)
    other.close()
    assert ledger.spent("k").units == 1


def test_a_full_disk_is_told() -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert isinstance(quota._trouble(error, Path("q")), DiskFull)
