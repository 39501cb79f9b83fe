from threading import Thread

import pytest

from engine.whisper.rows import Row
from engine.whisper.tasks import Task, Tasks


def test_every_window_is_taken_once_and_in_order() -> None:
    tasks = Tasks(range(3, 8))
    assert [task.window for task in tasks.take(2)] == [3, 4]
    assert [task.window for task in tasks.take(9)] == [5, 6, 7]
    assert tasks.take(1) == []


def test_what_is_put_back_comes_next_with_its_try() -> None:
    tasks = Tasks(range(3))
    tasks.take(2)
    tasks.put_back([Task(0, 1), Task(1)])
    assert tasks.take(3) == [Task(0, 1), Task(1), Task(2)]


def test_results_come_in_the_order_of_windows_whoever_is_first() -> None:
    tasks = Tasks(range(3))
    rows = [Row([number]) for number in range(3)]

    def work() -> None:
        for number in (2, 0, 1):
            tasks.finish(number, rows[number])

    thread = Thread(target=work)
    thread.start()
    assert list(tasks.results(range(3))) == rows
    thread.join()


def test_who_waits_is_told_of_a_fault_and_nothing_more_is_taken() -> None:
    tasks = Tasks(range(3))
    tasks.finish(0, Row())
    tasks.fail(MemoryError("first"))
    tasks.fail(ValueError("second"))
    assert tasks.take(1) == []
    results = tasks.results(range(3))
    assert next(results) == Row()
    with pytest.raises(MemoryError, match="first"):
        next(results)
