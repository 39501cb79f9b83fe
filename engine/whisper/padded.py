"""A batch on CUDA: all rows in tensors as long as the longest, which torch works on at once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.whisper.decoder import Decoder
from engine.whisper.encoder import Memory

_BLOCK = 64
"""Tokens by which the room for what is written grows."""


class PaddedBatch:
    """Rows at work, each at its own position; the same interface as `RaggedBatch`."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        like = decoder.like
        shape = decoder.heads, 0, like.shape[1] // decoder.heads
        self._heard = [(like.new_zeros(0, *shape), like.new_zeros(0, *shape))] * decoder.layers
        self._written = list(self._heard)
        self._positions: list[int] = []
        self._lengths: list[int] = []
        self._deaf = self._unwritten = like.new_zeros(0, 1, 1, 0)
        self._places = torch.zeros(0, dtype=torch.long, device=like.device)

    def add(self, memories: Sequence[Memory]) -> None:
        """New rows behind those that are there, nothing written yet."""
        self._positions += [memory.positions for memory in memories]
        self._lengths += [0] * len(memories)
        longest = max(self._positions)
        for layer in range(self._decoder.layers):
            new = [(m.keys[layer], m.values[layer]) for m in memories]
            keys, values = (_longer(old, longest) for old in self._heard[layer])
            keys = torch.cat([keys, *(_longer(k[None], longest) for k, _ in new)])
            values = torch.cat([values, *(_longer(v[None], longest) for _, v in new)])
            self._heard[layer] = keys, values
            keys, values = (
                torch.cat([old, old.new_zeros(len(memories), *old.shape[1:])])
                for old in self._written[layer]
            )
            self._written[layer] = keys, values
        self._deaf = self._beyond([p - 1 for p in self._positions], longest)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""
        self._positions = [self._positions[row] for row in rows]
        self._lengths = [self._lengths[row] for row in rows]
        chosen = torch.tensor(rows, dtype=torch.long, device=self._decoder.like.device)
        for stored in (self._heard, self._written):
            for layer, (keys, values) in enumerate(stored):  # never two copies of all
                stored[layer] = keys[chosen], values[chosen]
        self._deaf = self._deaf[chosen]

    def write(self, tokens: Sequence[int]) -> Tensor:
        """Logits (rows, vocabulary) behind the next token of each row."""
        room = -(-(max(self._lengths) + 1) // _BLOCK) * _BLOCK
        for layer, (keys, values) in enumerate(self._written):
            if keys.shape[2] < room:
                self._written[layer] = _longer(keys, room), _longer(values, room)
        device = self._decoder.like.device
        self._places = torch.tensor(self._lengths, device=device)
        self._unwritten = self._beyond(self._lengths, self._written[0][0].shape[2])
        logits = self._decoder(torch.tensor(tokens, device=device), self._places, self)
        self._lengths = [length + 1 for length in self._lengths]
        return logits

    def to_written(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """See `Rows`."""
        all_keys, all_values = self._written[layer]
        rows = torch.arange(len(queries), device=queries.device)
        all_keys[rows, :, self._places] = keys[:, :, 0]
        all_values[rows, :, self._places] = values[:, :, 0]
        return _attention(queries, all_keys, all_values, self._unwritten)

    def to_heard(self, layer: int, queries: Tensor) -> Tensor:
        """See `Rows`."""
        return _attention(queries, *self._heard[layer], self._deaf)

    def _beyond(self, last: Sequence[int], length: int) -> Tensor:
        """A mask (rows, 1, 1, length) that hides what lies behind each row's last place."""
        like = self._decoder.like
        places = torch.arange(length, device=like.device)
        hidden = places > torch.tensor(last, device=like.device)[:, None, None, None]
        return like.new_zeros(hidden.shape).masked_fill_(hidden, -torch.inf)


def _longer(x: Tensor, length: int) -> Tensor:
    """(rows, heads, …, 64) filled up with zeros to `length`."""
    return torch.nn.functional.pad(x, (0, 0, 0, max(0, length - x.shape[2])))


def _attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    scores = queries @ keys.transpose(-1, -2) + mask
    return (torch.softmax(scores, -1) @ values).transpose(1, 2).flatten(2)
