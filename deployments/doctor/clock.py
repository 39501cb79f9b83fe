"""The clock and its zones: quota days end at Pacific midnight, and schedules name zones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deployments.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from engine.settings import Settings

_SLACK = timedelta(days=1)


def clock(
    settings: "Settings | None", now: datetime | None = None, zone: str = "America/Los_Angeles"
) -> Iterator[Check]:
    """Whether zones are known, and it is not earlier than when Tonspur came onto this machine."""
    try:
        ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        yield fail("clock", f"the time zone {zone} is not known here", "pip install tzdata")
        return
    now = now or datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    found = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < installed - _SLACK:
        said = f"{found}, before the installation ({installed:%Y-%m-%d})"
        yield warn("clock", said, "Set the clock of this machine: certificates and quotas need it.")
    else:
        yield ok("clock", found)
