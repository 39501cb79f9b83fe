import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as fewer
from hypothesis import strategies as st

from engine.errors import DownloadsPaused
from engine.settings import Settings
from engine.youtube import pace, pause
from engine.youtube.pace import BURST, Rate

ROOT = Path(__file__).resolve().parents[3]


class Day:
    """A clock that goes on by sleeping alone."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Those of a machine that asks YouTube itself."""
    return settings.model_copy(update={"yt_watch_url": "https://www.youtube.com/watch?v={id}"})


@pytest.fixture
def day(now: datetime) -> Day:
    return Day(now)


def paced(settings: Settings, per_hour: int) -> Settings:
    return settings.model_copy(update={"yt_videos_per_hour": per_hour})


def test_a_small_batch_goes_at_once(settings: Settings, day: Day) -> None:
    for _ in range(BURST):
        pace.wait_for_turn(settings, day.clock, day.sleep)
    assert day.slept == []
    pace.wait_for_turn(settings, day.clock, day.sleep)
    assert sum(day.slept) == pytest.approx(3600 / 250, abs=0.01)
    assert max(day.slept) <= pace.SLICE_S


def test_an_hour_of_the_default_pace_stays_below_what_youtube_bears(
    settings: Settings, day: Day, now: datetime
) -> None:
    looks = 0
    while day.now < now + timedelta(hours=1):
        pace.wait_for_turn(settings, day.clock, day.sleep)
        looks += 1
    assert 250 <= looks <= 271


def test_no_limit_keeps_no_count(settings: Settings, day: Day) -> None:
    for _ in range(3 * BURST):
        pace.wait_for_turn(paced(settings, 0), day.clock, day.sleep)
    assert day.slept == []
    assert not settings.pace_file.exists()


pauses = st.lists(st.one_of(st.just(0.0), st.floats(0, 1), st.floats(0, 500)), max_size=120)


@given(pauses, st.floats(0.01, 60), st.integers(1, 30), st.floats(-1e6, 1e6))
@fewer(max_examples=200)
def test_no_span_holds_more_than_the_burst_and_the_rate(
    pauses: list[float], interval_s: float, burst: int, due: float
) -> None:
    rate, now, taken = Rate(interval_s, burst), 0.0, list[float]()
    for pause_s in pauses:
        now += pause_s
        due = rate.believed(due, now)
        if not rate.wait_s(due, now):
            taken.append(now)
            due = rate.after(due, now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            span = taken[last] - start
            assert last - first + 1 <= burst + (span + 0.001) / interval_s + 1e-6


@given(st.floats(0.01, 60), st.integers(1, 30), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_is_stored_nobody_waits_longer_than_one_interval(
    interval_s: float, burst: int, due: float
) -> None:
    rate = Rate(interval_s, burst)
    assert rate.wait_s(rate.believed(due, 0.0), 0.0) <= interval_s * 1.001 + 1e-9


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff\xfe", b"nan", b"inf", b"-1e400"])
def test_a_damaged_count_stops_nothing(settings: Settings, day: Day, content: bytes) -> None:
    settings.pace_file.parent.mkdir(parents=True)
    settings.pace_file.write_bytes(content)
    pace.wait_for_turn(settings, day.clock, day.sleep)
    assert day.slept == []
    assert float(settings.pace_file.read_text(encoding="utf-8")) > day.now.timestamp()


def test_a_clock_that_ran_ahead_costs_one_interval_at_most(settings: Settings, day: Day) -> None:
    settings.pace_file.parent.mkdir(parents=True)
    settings.pace_file.write_text("9999999999.0\n", encoding="utf-8")
    pace.wait_for_turn(settings, day.clock, day.sleep)
    assert 0 < sum(day.slept) <= 3600 / 250 + 0.01


def test_who_waits_for_a_turn_sees_the_breaker(settings: Settings, day: Day) -> None:
    slow = paced(settings, 1)
    for _ in range(BURST):
        pace.wait_for_turn(slow, day.clock, day.sleep)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            pause.set_until(slow, day.now + timedelta(hours=1), day.now, "a bot wall")

    with pytest.raises(DownloadsPaused, match="a bot wall"):
        pace.wait_for_turn(slow, day.clock, sleep)
    assert len(slept) == 3


def test_waiting_holds_no_lock(settings: Settings) -> None:
    busy = paced(settings, 18_000)  # five a second
    for _ in range(BURST):
        pace.wait_for_turn(busy)
    inside, go_on = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        inside.set()
        go_on.wait(10)

    waiting = threading.Thread(target=pace.wait_for_turn, args=(busy,), kwargs={"sleep": sleep})
    waiting.start()
    try:
        assert inside.wait(10)
        started = time.monotonic()
        pace.wait_for_turn(busy)
        assert time.monotonic() - started < 3
    finally:
        go_on.set()
        waiting.join()


def test_processes_share_one_pace(settings: Settings) -> None:
    code = (
        "import sys, time; from engine.settings import Settings; from engine.youtube import pace;"
        "settings = Settings(_env_file=None, state_dir=sys.argv[1], yt_videos_per_hour=36_000);"
        "[(pace.wait_for_turn(settings), print(time.time(), flush=True)) for _ in range(13)]"
    )
    argv = [sys.executable, "-c", code, str(settings.state_dir)]
    running = [
        subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    times = sorted(float(line) for child in running for line in child.communicate()[0].split())
    assert len(times) == 39
    # 19 had to wait, a tenth of a second each; a line is printed a little after its turn
    assert times[-1] - times[0] > 19 * 0.1 - 0.3
    assert datetime.fromtimestamp(times[0], UTC) < datetime.now(UTC)


@pytest.mark.parametrize(
    ("address", "pace"),
    [
        ("https://www.youtube.com/watch?v={id}", 250),
        ("https://youtube.com/watch?v={id}", 250),
        ("http://127.0.0.1:8000/watch/{id}", 0),
        ("https://notyoutube.com/watch/{id}", 0),
    ],
)
def test_without_a_word_youtube_is_spared_and_nobody_else(
    settings: Settings, address: str, pace: int
) -> None:
    asked = settings.model_copy(update={"yt_watch_url": address})
    assert asked.videos_per_hour == pace
    assert asked.model_copy(update={"yt_videos_per_hour": 7}).videos_per_hour == 7
