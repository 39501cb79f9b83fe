"""A batch on the CPU: every row keeps the memory of its window as the encoder made it.

Nothing is padded and nothing copied when a row comes or goes; what the rows have written lies in
one block that grows.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from engine.whisper import kernels
from engine.whisper.decoder import Decoder
from engine.whisper.encoder import Memory
from engine.whisper.kernels import bits

_BLOCK = 64
"""Tokens by which the room for what is written grows."""


class RaggedBatch:
    """Rows at work, each at its own position; rows of the same window stand side by side."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        like = decoder.like
        empty = like.new_empty(0, decoder.heads, _BLOCK, like.shape[1] // decoder.heads)
        self._written = [(empty, empty) for _ in range(decoder.layers)]
        self._memories: list[Memory] = []
        self._lengths: list[int] = []
        self._groups: list[int] = []
        self._places = np.empty(0, np.int64)

    def add(self, memories: Sequence[Memory]) -> None:
        """New rows behind those that are there, nothing written yet."""
        self._memories += memories
        self._lengths += [0] * len(memories)
        for layer, pair in enumerate(self._written):
            keys, values = (
                torch.cat([old, old.new_zeros(len(memories), *old.shape[1:])]) for old in pair
            )
            self._written[layer] = keys, values

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""
        self._memories = [self._memories[row] for row in rows]
        self._lengths = [self._lengths[row] for row in rows]
        chosen = torch.tensor(rows, dtype=torch.long)
        for layer, (keys, values) in enumerate(self._written):  # never two copies of all
            self._written[layer] = keys[chosen], values[chosen]

    def memory(self, row: int) -> Memory:
        """What a row has heard."""
        return self._memories[row]

    def write(self, tokens: Sequence[int]) -> Tensor:
        """Logits (rows, vocabulary) behind the next token of each row."""
        if max(self._lengths) == self._written[0][0].shape[2]:
            self._grow()
        self._groups = [len(list(same)) for _, same in groupby(self._memories, key=id)]
        positions = torch.tensor(self._lengths)
        self._places = positions.numpy()
        logits = self._decoder(torch.tensor(tokens), positions, self)
        self._lengths = [length + 1 for length in self._lengths]
        return logits

    def to_written(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """See `Rows`."""
        new = (bits(x[:, :, 0]) for x in (queries, keys, values))
        mixed = queries.new_empty(queries.shape[0], *queries.shape[1::2])
        kernels.attend_written(*new, *map(bits, self._written[layer]), self._places, bits(mixed))
        return mixed.flatten(1)[:, None]

    def to_heard(self, layer: int, queries: Tensor) -> Tensor:
        """See `Rows`."""
        mixed = queries.new_empty(queries.shape[0], *queries.shape[1::2])
        asked, out = bits(queries[:, :, 0]), bits(mixed)
        first = 0
        for count in self._groups:
            last = first + count
            keys, values = self._memories[first].keys[layer], self._memories[first].values[layer]
            kernels.attend_heard(asked[first:last], bits(keys), bits(values), out[first:last])
            first = last
        return mixed.flatten(1)[:, None]

    def _grow(self) -> None:
        for layer, (keys, values) in enumerate(self._written):
            more = keys.new_zeros(*keys.shape[:2], _BLOCK, keys.shape[3])
            self._written[layer] = torch.cat([keys, more], 2), torch.cat([values, more], 2)
