"""Whisper's first half: from a spectrogram to what the decoder reads.

It takes windows of any even number of frames: a short one costs what it holds, not 30 s.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from engine.whisper.layers import Feedforward, Maker, heads_first, keys_values, queries_keys_values


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

    def first(self, positions: int) -> "Memory":
        """What was heard up to there."""
        return Memory(
            tuple(keys[:, :positions] for keys in self.keys),
            tuple(values[:, :positions] for values in self.values),
        )


class _Layer:
    def __init__(self, layer: Any, linear: Maker) -> None:
        self._heads = int(layer.self_attn.num_heads)
        self._norm = layer.self_attn_layer_norm
        self._project = linear(*queries_keys_values(layer.self_attn))
        self._out = linear(layer.self_attn.out_proj.weight, layer.self_attn.out_proj.bias)
        self._feedforward = Feedforward(layer, linear)

    def __call__(self, x: Tensor) -> Tensor:
        projected = heads_first(self._project(self._norm(x)), 3 * self._heads)
        queries, keys, values = projected.chunk(3, dim=1)
        return self._feedforward(x + self._out(self._mix(queries, keys, values)))

    def _mix(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attention; (windows, heads, length, 64) to (windows, length, heads x 64)."""
        if queries.is_cuda:  # cuda only
            mixed = F.scaled_dot_product_attention(queries, keys, values, scale=1.0)
            return mixed.transpose(1, 2).flatten(2)
        # torch's fused kernel is slow in bfloat16; head by head the scores stay in the cache.
        windows, heads, length, size = queries.shape
        mixed = queries.new_empty(windows, length, heads * size)
        for window in range(windows):
            for head in range(heads):
                scores = queries[window, head] @ keys[window, head].T
                columns = slice(head * size, (head + 1) * size)
                mixed[window, :, columns] = torch.softmax(scores, -1) @ values[window, head]
        return mixed


class Encoder:
    """From spectrograms to memories."""

    def __init__(self, whisper: Any, linear: Maker) -> None:
        encoder, decoder = whisper.encoder, whisper.decoder
        self._conv1, self._conv2 = encoder.conv1, encoder.conv2
        self._positions = encoder.embed_positions.weight
        self._layers = [_Layer(layer, linear) for layer in encoder.layers]
        self._norm = encoder.layer_norm
        self._heads = int(decoder.layers[0].encoder_attn.num_heads)
        self._cross = [linear(*keys_values(layer.encoder_attn)) for layer in decoder.layers]

    def __call__(self, mel: Tensor) -> list[Memory]:
        """Encode windows (windows, bins, frames) of one even number of frames up to 3000."""
        x = F.gelu(self._conv1(mel))
        x = F.gelu(self._conv2(x)).transpose(1, 2)
        x = x + self._positions[: x.shape[1]]
        for layer in self._layers:
            x = layer(x)
        x = self._norm(x)
        # In one piece: every step of the decoder reads all of it.
        both = [heads_first(cross(x), 2 * self._heads).contiguous() for cross in self._cross]
        return [
            Memory(
                keys=tuple(layer[window, : self._heads] for layer in both),
                values=tuple(layer[window, self._heads :] for layer in both),
            )
            for window in range(len(mel))
        ]
