from datetime import datetime, timedelta

import pytest

from engine.errors import DownloadsPaused
from engine.settings import Settings
from engine.youtube import pause

HOUR = timedelta(hours=1)


def test_downloads_rest_until_the_breakers_time(settings: Settings, now: datetime) -> None:
    pause.check(settings, lambda: now)
    pause.set_until(settings, now + HOUR, now)
    with pytest.raises(DownloadsPaused, match="until 2026-11-22 13:00 UTC") as paused:
        pause.check(settings, lambda: now)
    assert paused.value.not_before == now + HOUR
    pause.check(settings, lambda: now + HOUR)


def test_a_pause_is_never_shortened(settings: Settings, now: datetime) -> None:
    pause.set_until(settings, now + 2 * HOUR, now)
    pause.set_until(settings, now + HOUR, now)
    assert pause.until(settings, now) == now + 2 * HOUR
    pause.set_until(settings, now + 3 * HOUR, now)
    assert pause.until(settings, now) == now + 3 * HOUR


def test_a_pause_can_be_lifted(settings: Settings, now: datetime) -> None:
    pause.set_until(settings, now + HOUR, now)
    pause.lift(settings)
    pause.lift(settings)
    assert pause.until(settings, now) is None


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff\xfe", b"2026-99-99"])
def test_a_damaged_file_stops_nothing(settings: Settings, now: datetime, content: bytes) -> None:
    settings.pause_file.parent.mkdir(parents=True)
    settings.pause_file.write_bytes(content)
    assert pause.until(settings, now) is None
    pause.set_until(settings, now + HOUR, now)
    assert pause.until(settings, now) == now + HOUR


def test_a_time_without_zone_is_utc_and_a_far_one_is_damage(
    settings: Settings, now: datetime
) -> None:
    settings.pause_file.parent.mkdir(parents=True)
    settings.pause_file.write_text("2026-11-22T12:30:00\n", encoding="utf-8")
    assert pause.until(settings, now) == now + HOUR / 2
    settings.pause_file.write_text("2036-11-22T12:30:00+00:00\n", encoding="utf-8")
    assert pause.until(settings, now) is None


def test_who_is_kept_waiting_is_told_why(settings: Settings, now: datetime) -> None:
    pause.set_until(settings, now + HOUR, now, "YouTube takes this address\nfor a bot.")
    first, second = settings.pause_file.read_text(encoding="utf-8").splitlines()
    assert datetime.fromisoformat(first) == now + HOUR
    assert second == "YouTube takes this address for a bot"
    with pytest.raises(DownloadsPaused, match=r"13:00 UTC: YouTube takes this .* a bot\."):
        pause.check(settings, lambda: now)


def test_a_shorter_pause_does_not_change_the_reason(settings: Settings, now: datetime) -> None:
    pause.set_until(settings, now + 2 * HOUR, now, "a bot wall")
    pause.set_until(settings, now + HOUR, now, "a full disk")
    with pytest.raises(DownloadsPaused, match="a bot wall"):
        pause.check(settings, lambda: now)
    pause.set_until(settings, now + 3 * HOUR, now, "a full disk")
    with pytest.raises(DownloadsPaused, match="a full disk"):
        pause.check(settings, lambda: now)
