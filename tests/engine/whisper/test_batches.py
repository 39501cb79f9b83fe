from collections.abc import Sequence

import pytest
import torch

from engine.whisper.batches import in_batches, rows_that_fit
from engine.whisper.model import Model


def test_batches_keep_the_order() -> None:
    done = list(in_batches([1, 2, 3, 4, 5], 2, lambda items: [i * 10 for i in items]))
    assert done == [([1, 2], [10, 20]), ([3, 4], [30, 40]), ([5], [50])]


def test_out_of_memory_halves_the_batch_and_loses_nothing() -> None:
    tried: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        tried.append(len(items))
        if len(items) > 2:
            raise torch.OutOfMemoryError
        return list(items)

    done = [one for _, results in in_batches(list(range(9)), 8, work) for one in results]
    assert done == list(range(9))
    assert tried[:3] == [8, 4, 2]


def test_one_item_that_does_not_fit_is_an_error() -> None:
    def work(items: Sequence[int]) -> list[int]:
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        list(in_batches([1, 2], 2, work))


def test_the_preset_is_an_upper_bound(model: Model) -> None:
    assert rows_that_fit(model, 2) == 2
    assert 1 <= rows_that_fit(model, 10**9) < 10**9
