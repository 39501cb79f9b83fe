import time
from collections.abc import Iterator

from deployments.checks import Check, ok
from deployments.doctor.side_by_side import side_by_side


def hangs() -> Iterator[Check]:
    yield ok("first", "found in time")
    time.sleep(30)


def breaks() -> Iterator[Check]:
    raise RuntimeError("boom")
    yield ok("never", "")


def test_a_look_that_hangs_is_told_and_what_it_found_before_is_kept() -> None:
    begun = time.monotonic()
    looks = {"slow": hangs, "quick": lambda: [ok("quick", "done")]}
    rows = {row.check: row for row in side_by_side(looks, 1.5)}
    assert time.monotonic() - begun < 5
    assert list(rows) == ["first", "slow", "quick"], "in the order of the looks"
    assert rows["slow"].status == "fail" and "within 1.5 s" in str(rows["slow"].found)
    assert rows["first"].status == rows["quick"].status == "ok"


def test_a_look_that_breaks_is_a_finding() -> None:
    [row] = side_by_side({"bad": breaks}, 5)
    assert (row.check, row.status, row.found) == ("bad", "fail", "RuntimeError: boom")
    assert row.fix


def test_a_look_that_lacks_a_package_names_pip() -> None:
    def lacks() -> Iterator[Check]:
        raise ModuleNotFoundError("No module named 'absent'")
        yield ok("never", "")

    [row] = side_by_side({"bad": lacks}, 5)
    assert "absent" in str(row.found) and "pip install" in str(row.fix)
