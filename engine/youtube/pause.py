"""The breaker: after a bot wall, a rate limit or a full disk all downloads of this machine rest."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.errors import DownloadsPaused
from engine.library import locks
from engine.library.atomic import write_text
from engine.settings import Settings
from engine.youtube.quota import now_utc

_log = logging.getLogger(__name__)

LONGEST = timedelta(days=1)
"""A date further off is damage, or a clock that was wrong."""
_LONGEST_WHY = 200


@dataclass(frozen=True)
class Pause:
    """Until when downloads rest, in UTC, and in a few words why; empty where nobody said."""

    until: datetime
    why: str


def current(settings: Settings, now: datetime) -> Pause | None:
    """The pause that holds now; None when downloads may go on."""
    try:
        text = settings.pause_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    first, _, why = text.strip().partition("\n")
    try:
        at = datetime.fromisoformat(first.strip())
    except ValueError:
        _log.warning("%s holds no time; it is ignored", settings.pause_file)
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return Pause(at, _one_line(why)) if now < at <= now + LONGEST else None


def until(settings: Settings, now: datetime) -> datetime | None:
    """When downloads may go on, in UTC; None when they may now."""
    pause = current(settings, now)
    return pause.until if pause else None


def check(settings: Settings, clock: Callable[[], datetime] = now_utc) -> None:
    """Does nothing when downloads may go on.

    Raises:
        DownloadsPaused: not before its `not_before`; its message says why.
    """
    pause = current(settings, clock())
    if pause is not None:
        why = f": {pause.why}" if pause.why else ""
        raise DownloadsPaused(
            f"Downloads rest until {pause.until:%Y-%m-%d %H:%M} UTC{why}.", pause.until
        )


def set_until(settings: Settings, at: datetime, now: datetime, why: str = "") -> None:
    """Lets downloads rest until `at`; never shortens a pause.

    Args:
        settings: where the breaker lies.
        at: the end of the pause.
        now: the present.
        why: a few words for whoever is kept waiting.

    Raises:
        DiskFull: there is no space for it.
    """
    with locks.held(settings.locks_dir, "breaker", "downloads"):
        present = until(settings, now)
        if present is not None and present >= at:
            return
        write_text(settings.pause_file, f"{at.astimezone(UTC).isoformat()}\n{_one_line(why)}\n")


def lift(settings: Settings) -> None:
    """Lets downloads go on at once."""
    settings.pause_file.unlink(missing_ok=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_WHY].rstrip(" .")
