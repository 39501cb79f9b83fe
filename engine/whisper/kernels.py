"""Loops that torch has no fast operation for on a CPU, compiled by Numba.

bfloat16 comes as the 16 bits that it is (`uint16`): the upper half of a float32; float32 as itself.
Attention of one row reads each key and value once, so it runs nearly as fast as memory; torch's
matrix products, made for many rows, take twice as long. All release Python's lock.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"

from typing import Any

import numpy as np
import torch
from numba import njit, types
from numba.extending import overload

_OPTIONS: Any = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}


def bits(tensor: torch.Tensor) -> Any:
    """A tensor's memory as these loops take it: bfloat16 as its bits, else as it is."""
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _wide(stored):
    """The float32 that is meant by what is stored."""
    raise NotImplementedError


@overload(_wide, inline="always")
def _compiled_wide(stored):
    if isinstance(stored, types.Float):
        return lambda stored: stored
    return lambda stored: np.uint32(np.uint32(stored) << np.uint32(16)).view(np.float32)


def _narrow(number, like):
    """The number as it is stored beside `like`; of bfloat16 the nearest, ties to even."""
    raise NotImplementedError


@overload(_narrow, inline="always")
def _compiled_narrow(number, like):
    if isinstance(like, types.Float):
        return lambda number, like: number

    def rounded(number, like):
        bits = np.float32(number).view(np.uint32)
        odd = (bits >> np.uint32(16)) & np.uint32(1)
        return np.uint16((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))

    return rounded


@njit(inline="always")
def _exp(x):
    """E to a power of at most 0, to 2e-7: 2 ** whole by its bits, 2 ** rest by Taylor's series.

    The libraries' own is called number by number; this one is computed for sixteen at a time.
    """
    power = max(x * np.float32(1.4426950408889634), np.float32(-126))
    whole = np.int32(power - np.float32(0.5))
    rest = (power - np.float32(whole)) * np.float32(0.6931471805599453)
    series = np.float32(1 / 720)
    for factor in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        series = series * rest + np.float32(factor)
    return series * np.int32((whole + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(**_OPTIONS)
def _attend(query, keys, values, length, scores, mixed):
    """Attention of one query to `length` keys; the result is left in `mixed` (float32)."""
    size = query.shape[0]
    highest = np.float32(-np.inf)
    for place in range(length):
        score = np.float32(0)
        for i in range(size):
            score += query[i] * _wide(keys[place, i])
        scores[place] = score
        highest = max(highest, score)
    total = np.float32(0)
    for place in range(length):
        weight = _exp(scores[place] - highest)
        scores[place] = weight
        total += weight
    mixed[:] = 0
    for place in range(length):
        weight = scores[place]
        for i in range(size):
            mixed[i] += weight * _wide(values[place, i])
    for i in range(size):
        mixed[i] /= total


@njit(**_OPTIONS)
def attend_heard(queries, keys, values, out):
    """Rows (rows, heads, 64) that heard the same (heads, positions, 64), into `out`."""
    rows, heads, size = queries.shape
    length = keys.shape[1]
    scores = np.empty(length, np.float32)
    query, mixed = np.empty(size, np.float32), np.empty(size, np.float32)
    for head in range(heads):
        for row in range(rows):
            for i in range(size):
                query[i] = _wide(queries[row, head, i])
            _attend(query, keys[head], values[head], length, scores, mixed)
            for i in range(size):
                out[row, head, i] = _narrow(mixed[i], out[row, head, i])


@njit(**_OPTIONS)
def attend_written(queries, keys, values, old_keys, old_values, lengths, out):
    """Add new keys and values (rows, heads, 64) behind each row's `lengths`, and attend to all.

    The old ones are (rows, heads, room, 64).
    """
    rows, heads, size = queries.shape
    scores = np.empty(old_keys.shape[2], np.float32)
    query, mixed = np.empty(size, np.float32), np.empty(size, np.float32)
    for row in range(rows):
        place = lengths[row]
        for head in range(heads):
            for i in range(size):
                query[i] = _wide(queries[row, head, i])
                old_keys[row, head, place, i] = keys[row, head, i]
                old_values[row, head, place, i] = values[row, head, i]
            _attend(query, old_keys[row, head], old_values[row, head], place + 1, scores, mixed)
            for i in range(size):
                out[row, head, i] = _narrow(mixed[i], out[row, head, i])


@njit(**_OPTIONS)
def round_rows(rows, steps, sizes):
    """Each of `rows` (count, width) as steps from 1 to 255 around 128; a step is `sizes[row]`."""
    count, width = rows.shape
    for row in range(count):
        # Numbers without sign order as their bits do, which are compared sixteen at a time.
        pattern = np.uint32(0)
        for i in range(width):
            number = np.float32(_wide(rows[row, i]))
            pattern = max(pattern, number.view(np.uint32) & np.uint32(0x7FFFFFFF))
        largest = max(np.uint32(pattern).view(np.float32), np.float32(1e-6))
        sizes[row, 0] = largest / np.float32(127)
        factor = np.float32(127) / largest
        for i in range(width):
            # 128.5 and cut off: nearest, for numbers above zero.
            steps[row, i] = np.uint8(np.int32(_wide(rows[row, i]) * factor + np.float32(128.5)))


@njit(**_OPTIONS)
def scale_rows(product, sizes, bias, out):
    """`product` (count, width) in float32 times its row's size, plus the bias, as `out` stores."""
    count, width = product.shape
    for row in range(count):
        size = sizes[row, 0]
        for i in range(width):
            number = product[row, i] * size + bias[i]
            out[row, i] = _narrow(number, out[row, i])


@njit(**_OPTIONS)
def cheapest_path(cost, starts):
    """The first frame of each token on the cheapest way through `cost` (tokens, frames).

    It goes from the first corner to the last, by one token, one frame or both at a time: dynamic
    time warping.
    """
    tokens, frames = cost.shape
    total = np.full((tokens + 1, frames + 1), np.float32(np.inf))
    total[0, 0] = 0
    came = np.zeros((tokens + 1, frames + 1), np.int8)
    for token in range(1, tokens + 1):
        for frame in range(1, frames + 1):
            best, way = total[token - 1, frame - 1], 0
            if total[token - 1, frame] < best:
                best, way = total[token - 1, frame], 1
            if total[token, frame - 1] < best:
                best, way = total[token, frame - 1], 2
            total[token, frame] = cost[token - 1, frame - 1] + best
            came[token, frame] = way
    token, frame = tokens, frames
    while token > 0 and frame > 0:
        starts[token - 1] = frame - 1
        way = came[token, frame]
        if way != 2:
            token -= 1
        if way != 1:
            frame -= 1
    for left in range(token):  # more tokens than frames: they share the first
        starts[left] = 0
