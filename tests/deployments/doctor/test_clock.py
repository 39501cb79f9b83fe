from datetime import UTC, datetime

from deployments.doctor.clock import clock


def test_a_clock_from_before_the_installation_is_wrong() -> None:
    [row] = clock(None, now=datetime(2001, 1, 1, tzinfo=UTC))
    assert row.status == "warn" and "clock" in str(row.fix)
    [row] = clock(None)
    assert row.status == "ok"


def test_a_machine_without_time_zones_is_told_which_package_has_them() -> None:
    [row] = clock(None, zone="America/Nowhere")
    assert row.status == "fail" and row.fix == "pip install tzdata"
