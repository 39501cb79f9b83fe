"""Whisper's two halves, run on the weights of a transformers model.

The encoder takes windows of any even number of frames: a short one costs what it holds, not 30 s.
Head sizes, norms and activations are those of every Whisper checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from engine.whisper.linear import Linear


@dataclass(frozen=True)
class Memory:
    """What the decoder reads of one encoded window: keys and values of each decoder layer.

    Each is (heads, positions, 64); 50 positions are a second.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def positions(self) -> int:
        """Length in encoder positions."""
        return int(self.keys[0].shape[1])


def _heads_first(x: Tensor, heads: int) -> Tensor:
    """(…, length, heads x 64) to (…, heads, length, 64)."""
    return x.view(*x.shape[:-1], heads, -1).transpose(-2, -3)


def _attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of scaled queries; (…, heads, length, 64) to (…, length, heads x 64)."""
    if queries.is_cuda:  # cuda only
        mixed = F.scaled_dot_product_attention(queries, keys, values, mask, scale=1.0)
    else:  # on CPUs torch's fused kernel is slow in bfloat16
        scores = queries @ keys.transpose(-1, -2)
        if mask is not None:
            scores += mask
        mixed = torch.softmax(scores, -1) @ values
    return mixed.transpose(-2, -3).flatten(-2)


class _Feedforward:
    def __init__(self, layer: Any) -> None:
        self._norm = layer.final_layer_norm
        self._widen = Linear.of(layer.fc1)
        self._narrow = Linear.of(layer.fc2)

    def __call__(self, x: Tensor) -> Tensor:
        return x + self._narrow(F.gelu(self._widen(self._norm(x))))


def _queries(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of the queries, scaled by 64 ** -0.5: a power of two, so nothing is lost."""
    projection = attention.q_proj
    return projection.weight * attention.scaling, projection.bias * attention.scaling


def _keys_values(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of keys and values, stacked; keys have no bias."""
    keys, values = attention.k_proj, attention.v_proj
    bias = torch.cat([torch.zeros_like(values.bias), values.bias])
    return torch.cat([keys.weight, values.weight]), bias


def _queries_keys_values(attention: Any) -> Linear:
    parts = _queries(attention), _keys_values(attention)
    return Linear(torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]))


class _EncoderLayer:
    def __init__(self, layer: Any) -> None:
        self._heads = int(layer.self_attn.num_heads)
        self._norm = layer.self_attn_layer_norm
        self._project = _queries_keys_values(layer.self_attn)
        self._out = Linear.of(layer.self_attn.out_proj)
        self._feedforward = _Feedforward(layer)

    def __call__(self, x: Tensor) -> Tensor:
        projected = _heads_first(self._project(self._norm(x)), 3 * self._heads)
        queries, keys, values = projected.chunk(3, dim=0)
        return self._feedforward(x + self._out(self._mix(queries, keys, values)))

    def _mix(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        if queries.is_cuda:  # cuda only
            return _attention(queries[None], keys[None], values[None], None)[0]
        # Head by head the scores stay in the cache.
        one = [
            torch.softmax(q @ k.T, -1) @ v for q, k, v in zip(queries, keys, values, strict=True)
        ]
        return torch.cat(one, dim=-1)


class Encoder:
    """From a spectrogram to what the decoder reads."""

    def __init__(self, whisper: Any) -> None:
        encoder, decoder = whisper.encoder, whisper.decoder
        self._conv1, self._conv2 = encoder.conv1, encoder.conv2
        self._positions = encoder.embed_positions.weight
        self._layers = [_EncoderLayer(layer) for layer in encoder.layers]
        self._norm = encoder.layer_norm
        self._heads = int(decoder.layers[0].encoder_attn.num_heads)
        self._cross = [Linear(*_keys_values(layer.encoder_attn)) for layer in decoder.layers]

    def __call__(self, mel: Tensor) -> Memory:
        """Encode one window, (bins, frames) with an even number of frames up to 3000."""
        x = F.gelu(self._conv1(mel[None]))
        x = F.gelu(self._conv2(x))[0].T
        x = x + self._positions[: len(x)]
        for layer in self._layers:
            x = layer(x)
        x = self._norm(x)
        both = [_heads_first(cross(x), 2 * self._heads) for cross in self._cross]
        return Memory(
            keys=tuple(pair[: self._heads] for pair in both),
            values=tuple(pair[self._heads :] for pair in both),
        )


class State:
    """Where a batch of rows stands: what they have heard, and what they have written so far."""

    def __init__(
        self, lengths: Sequence[int], layers: int, shape: tuple[int, int, int], like: Tensor
    ) -> None:
        """Room for rows that hear so many positions; `shape`: heads, head size, tokens to write."""
        heads, size, capacity = shape
        longest, rows = max(lengths), len(lengths)
        self.cross = [
            (like.new_zeros(rows, heads, longest, size), like.new_zeros(rows, heads, longest, size))
            for _ in range(layers)
        ]
        self.written = [
            (
                like.new_empty(rows, heads, capacity, size),
                like.new_empty(rows, heads, capacity, size),
            )
            for _ in range(layers)
        ]
        self.length = 0
        positions = torch.arange(longest, device=like.device)
        beyond = positions >= torch.tensor(lengths, device=like.device)[:, None]
        self.cross_mask = like.new_zeros(rows, 1, 1, longest)
        self.cross_mask.masked_fill_(beyond[:, None, None], -torch.inf)

    def hear(self, row: int, memory: Memory) -> None:
        """Take up what one row has heard."""
        for (keys, values), new_keys, new_values in zip(
            self.cross, memory.keys, memory.values, strict=True
        ):
            keys[row, :, : memory.positions] = new_keys
            values[row, :, : memory.positions] = new_values

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order."""
        self.cross_mask = self.cross_mask[rows]
        for stored in (self.cross, self.written):
            for layer, (keys, values) in enumerate(stored):  # one by one: never two copies of all
                stored[layer] = keys[rows], values[rows]


class _DecoderLayer:
    def __init__(self, layer: Any) -> None:
        own, cross = layer.self_attn, layer.encoder_attn
        self._heads = int(own.num_heads)
        self._own_norm, self._cross_norm = layer.self_attn_layer_norm, layer.encoder_attn_layer_norm
        self._own, self._own_out = _queries_keys_values(own), Linear.of(own.out_proj)
        self._cross, self._cross_out = Linear(*_queries(cross)), Linear.of(cross.out_proj)
        self._feedforward = _Feedforward(layer)

    def __call__(self, x: Tensor, state: State, index: int, causal: Tensor | None) -> Tensor:
        first, last = state.length, state.length + x.shape[1]
        projected = _heads_first(self._own(self._own_norm(x)), 3 * self._heads)
        queries, new_keys, new_values = projected.chunk(3, dim=1)
        keys, values = state.written[index]
        keys[:, :, first:last], values[:, :, first:last] = new_keys, new_values
        mixed = _attention(queries, keys[:, :, :last], values[:, :, :last], causal)
        x = x + self._own_out(mixed)
        queries = _heads_first(self._cross(self._cross_norm(x)), self._heads)
        mixed = _attention(queries, *state.cross[index], state.cross_mask)
        return self._feedforward(x + self._cross_out(mixed))


class Decoder:
    """From what was heard and written to the next token's logits."""

    def __init__(self, whisper: Any) -> None:
        decoder = whisper.decoder
        self._embeddings = decoder.embed_tokens.weight
        self._positions = decoder.embed_positions.weight
        self._layers = [_DecoderLayer(layer) for layer in decoder.layers]
        self._norm = decoder.layer_norm
        self._vocabulary = Linear(self._embeddings, None)
        self._heads = int(decoder.layers[0].self_attn.num_heads)
        self.capacity = len(self._positions)
        """Tokens that fit into one window, the prompt included."""

    @property
    def row_bytes(self) -> int:
        """What a full window costs in a batch at most, in bytes."""
        heard = 1500
        number = self._embeddings.element_size() * self._embeddings.shape[1]
        return int(2 * len(self._layers) * (heard + self.capacity) * number)

    def state(self, lengths: Sequence[int]) -> State:
        """An empty state for rows that hear so many encoder positions."""
        shape = self._heads, self._embeddings.shape[1] // self._heads, self.capacity
        return State(lengths, len(self._layers), shape, self._embeddings)

    def __call__(self, tokens: Tensor, state: State) -> Tensor:
        """Logits behind each of `tokens` (rows, count), which are written into `state`."""
        count = tokens.shape[1]
        x = self._embeddings[tokens] + self._positions[state.length : state.length + count]
        causal = None
        if count > 1:  # only at the prompt, where nothing is written yet
            causal = torch.full((count, count), -torch.inf, dtype=x.dtype, device=x.device).triu(1)
        for index, layer in enumerate(self._layers):
            x = layer(x, state, index, causal)
        state.length += count
        return self._vocabulary(self._norm(x))
