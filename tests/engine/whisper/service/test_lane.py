"""The order of jobs, without processes: a keeper that does what its script says."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.errors import Busy, EngineDied, NotMedia
from engine.whisper.messages import Ending, Event, Failed, Job, Prepared, PrepareJob
from engine.whisper.presets import PRESETS
from engine.whisper.service import lane as module
from engine.whisper.service.lane import Lane

Act = Callable[[], None]


def job(name: str) -> PrepareJob:
    return PrepareJob(source=Path(name), folder=Path(name), preset=PRESETS["stabil"])


ENDING = Prepared(
    prepared=PreparedAudio(
        wav=Path("a.wav"),
        duration_s=1.0,
        speech=(),
        speech_s=0.0,
        gain_db=0.0,
        cut=None,
        windows=(),
    )
)


class Scripted:
    """In the place of a Keeper: `acts` are done one per job, in their order."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.acts: SimpleQueue[Act] = SimpleQueue()
        self.given: list[str] = []
        self.closed = 0

    def run(self, job: Job, take: Callable[[Event], None], abort: Callable[[], bool]) -> Ending:
        self.pid = 1
        self.given.append(job.folder.name if isinstance(job, PrepareJob) else "")
        self.acts.get()()
        if abort():
            raise Aborted
        return ENDING

    def close(self) -> None:
        if self.pid is not None:
            self.closed += 1
        self.pid = None


@pytest.fixture
def keeper() -> Scripted:
    return Scripted()


@pytest.fixture
def lane(keeper: Scripted) -> Iterator[Lane]:
    made = Lane("test", [keeper], idle_s=-1)  # type: ignore[list-item]
    yield made
    for _ in range(10):
        keeper.acts.put(lambda: None)
    made.close()


class Told:
    """What a client is told, and its end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.over = threading.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if event.kind in ("prepared", "failed", "stopped"):
            self.over.set()

    @property
    def last(self) -> Event:
        assert self.over.wait(5)
        return self.events[-1]


def fail(error: Exception) -> Act:
    def act() -> None:
        raise error

    return act


def test_first_come_first_served(lane: Lane, keeper: Scripted) -> None:
    told = [Told() for _ in range(4)]
    for number, client in enumerate(told):
        lane.submit(number, job(str(number)), client)
    for _ in told:
        keeper.acts.put(lambda: None)
    assert all(client.last.kind == "prepared" for client in told)
    assert keeper.given == ["0", "1", "2", "3"]
    assert lane.counts["done"] == 4


def test_a_lost_process_costs_a_second_try_and_no_third(lane: Lane, keeper: Scripted) -> None:
    lucky, unlucky, after = Told(), Told(), Told()
    for number, client in enumerate((lucky, unlucky, after)):
        lane.submit(number, job(str(number)), client)
    for act in (
        fail(EngineDied("first")),
        lambda: None,
        fail(EngineDied("second")),
        fail(EngineDied("third")),
        lambda: None,
    ):
        keeper.acts.put(act)
    assert lucky.last.kind == "prepared"
    assert [event.kind for event in lucky.events].count("restarted") == 1
    assert unlucky.last == Failed(error="EngineDied", message="third")
    assert after.last.kind == "prepared"
    assert keeper.given == ["0", "0", "1", "1", "2"]


def test_a_failure_is_told_as_it_is_and_not_tried_again(lane: Lane, keeper: Scripted) -> None:
    told = Told()
    lane.submit(1, job("a"), told)
    keeper.acts.put(fail(NotMedia("No media.")))
    assert told.last == Failed(error="NotMedia", message="No media.")
    assert (keeper.given, lane.counts["failed"]) == (["a"], 1)


def test_a_fault_of_ours_does_not_end_the_queue(lane: Lane, keeper: Scripted) -> None:
    broken, after = Told(), Told()
    lane.submit(1, job("a"), broken)
    lane.submit(2, job("b"), after)
    keeper.acts.put(fail(ZeroDivisionError()))
    keeper.acts.put(lambda: None)
    assert broken.last.kind == "failed"
    assert after.last.kind == "prepared"


def test_who_gives_up_waiting_is_never_served(lane: Lane, keeper: Scripted) -> None:
    first, gone, last = Told(), Told(), Told()
    lane.submit(1, job("first"), first)
    ticket = lane.submit(2, job("gone"), gone)
    lane.submit(3, job("last"), last)
    assert [event for event in last.events if event.kind == "queued"]
    ticket.abort()
    assert lane.waiting <= 2
    for _ in range(2):
        keeper.acts.put(lambda: None)
    assert last.last.kind == "prepared"
    assert keeper.given == ["first", "last"]
    assert lane.counts["aborted"] == 1


def test_more_than_can_be_served_in_a_day_is_refused(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    with pytest.raises(Busy, match="3 jobs are waiting"):
        for number in range(9):
            lane.submit(number, job("a"), Told())


def test_a_second_process_is_started_only_for_a_second_job() -> None:
    keepers = [Scripted(), Scripted()]
    lane = Lane("test", keepers, idle_s=-1)  # type: ignore[arg-type]
    try:
        for number in range(4):
            for keeper in keepers:
                keeper.acts.put(lambda: None)
            told = Told()
            lane.submit(number, job("a"), told)
            assert told.last.kind == "prepared"
        assert sorted(len(keeper.given) for keeper in keepers) == [0, 4]

        both = threading.Barrier(3, timeout=5)
        for keeper in keepers:
            while not keeper.acts.empty():
                keeper.acts.get()
            keeper.acts.put(lambda: both.wait() and None)
        clients = [Told(), Told()]
        for client in clients:
            lane.submit(9, job("b"), client)
        both.wait()  # they work side by side
        assert all(client.last.kind == "prepared" for client in clients)
    finally:
        lane.close()


@pytest.mark.parametrize(("idle_s", "closed"), [(0.0, 1), (0.3, 1), (-1.0, 0)])
def test_an_idle_process_is_ended_when_its_time_is_over(
    keeper: Scripted, idle_s: float, closed: int
) -> None:
    lane = Lane("test", [keeper], idle_s)  # type: ignore[list-item]
    try:
        keeper.acts.put(lambda: None)
        told = Told()
        lane.submit(1, job("a"), told)
        assert told.last.kind == "prepared"
        time.sleep(0.7)
        assert keeper.closed == closed
    finally:
        lane.close()
