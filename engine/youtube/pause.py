"""The breaker: after a bot wall or a rate limit all downloads of this machine rest."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.errors import DownloadsPaused
from engine.library.atomic import write_text
from engine.settings import Settings
from engine.youtube.quota import now_utc

_log = logging.getLogger(__name__)

LONGEST = timedelta(days=1)
"""A date further off is damage, or a clock that was wrong."""


def until(settings: Settings, now: datetime) -> datetime | None:
    """When downloads may go on, in UTC; None when they may now."""
    try:
        text = settings.pause_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        _log.warning("%s holds no time; it is ignored", settings.pause_file)
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at if now < at <= now + LONGEST else None


def check(settings: Settings, clock: Callable[[], datetime] = now_utc) -> None:
    """Does nothing when downloads may go on.

    Raises:
        DownloadsPaused: not before its `not_before`.
    """
    at = until(settings, clock())
    if at is not None:
        raise DownloadsPaused(f"Downloads rest until {at:%Y-%m-%d %H:%M} UTC.", at)


def set_until(settings: Settings, at: datetime, now: datetime) -> None:
    """Lets downloads rest until `at`; never shortens a pause."""
    present = until(settings, now)
    if present is not None and present >= at:
        return
    write_text(settings.pause_file, at.astimezone(UTC).isoformat() + "\n")


def lift(settings: Settings) -> None:
    """Lets downloads go on at once."""
    settings.pause_file.unlink(missing_ok=True)
