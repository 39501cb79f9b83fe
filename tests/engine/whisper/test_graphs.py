from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.whisper.graphs import MOST, Bucket, Graphs, call, capture_of
from tests.engine.whisper.tape import Tape


def bucket(rows: int) -> Bucket:
    return Bucket(rows, room=64, positions=128)


def number(n: float) -> Callable[[], Tensor]:
    return lambda: torch.full((1,), n)


def test_a_bucket_is_captured_once_and_only_when_it_comes_again() -> None:
    tape = Tape()
    graphs = Graphs(tape)
    for rows in (1, 2, 1, 1, 3, 1):
        assert graphs.run(bucket(rows), number(rows)).tolist() == [rows]
    assert (tape.captures, tape.replays) == (1, 3)


def test_what_was_captured_is_replayed_whatever_step_comes_with_it() -> None:
    graphs = Graphs(Tape())
    said = [graphs.run(bucket(1), number(n)).item() for n in range(4)]
    assert said == [0, 1, 1, 1]


def test_nothing_captured_is_left_after_a_drop() -> None:
    tape = Tape()
    graphs = Graphs(tape)
    for _ in range(2):
        for n in range(2):
            graphs.run(bucket(1), number(n))
        graphs.drop()
    assert tape.captures == 2


def test_of_too_many_the_one_goes_that_was_not_used_for_longest() -> None:
    tape = Tape()
    graphs = Graphs(tape)
    for rows in range(MOST + 1):
        graphs.run(bucket(rows), number(rows))
        graphs.run(bucket(rows), number(rows))
        graphs.run(bucket(0), number(0))
    captured = tape.captures
    graphs.run(bucket(0), number(0))
    graphs.run(bucket(2), number(2))
    assert tape.captures == captured
    assert graphs.run(bucket(1), number(7)).tolist() == [7]


def test_without_cuda_a_replay_is_the_step_itself() -> None:
    step = number(3)
    assert capture_of(torch.device("cpu")) is call
    assert call(step) is step


def test_the_tape_finds_a_step_that_asks_the_host() -> None:
    with pytest.raises(AssertionError, match="wait"):
        Tape()(lambda: torch.full((1,), torch.ones(1).item()))
