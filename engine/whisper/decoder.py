"""Whisper's second half: from what was heard and written to the next token of every row."""

from typing import Any, Protocol

from torch import Tensor

from engine.whisper.layers import Feedforward, Maker, heads_first, queries, queries_keys_values
from engine.whisper.linear import Linear


class Rows(Protocol):
    """What the rows of a batch have heard and written: they do the attention.

    Queries, keys and values are (rows, heads, 1, 64), results (rows, 1, heads x 64).
    """

    def to_written(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attention to what each row has written, once this step's keys and values are added."""
        ...

    def to_heard(self, layer: int, queries: Tensor) -> Tensor:
        """Attention to what each row has heard."""
        ...


class _Layer:
    def __init__(self, index: int, layer: Any, linear: Maker) -> None:
        own, cross = layer.self_attn, layer.encoder_attn
        self._index = index
        self._heads = int(own.num_heads)
        self._own_norm, self._cross_norm = layer.self_attn_layer_norm, layer.encoder_attn_layer_norm
        self._own = linear(*queries_keys_values(own))
        self._own_out = linear(own.out_proj.weight, own.out_proj.bias)
        self._cross = linear(*queries(cross))
        self._cross_out = linear(cross.out_proj.weight, cross.out_proj.bias)
        self._feedforward = Feedforward(layer, linear)

    def __call__(self, x: Tensor, rows: Rows) -> Tensor:
        projected = heads_first(self._own(self._own_norm(x)), 3 * self._heads)
        x = x + self._own_out(rows.to_written(self._index, *projected.chunk(3, dim=1)))
        asked = heads_first(self._cross(self._cross_norm(x)), self._heads)
        return self._feedforward(x + self._cross_out(rows.to_heard(self._index, asked)))


class Decoder:
    """One step of all rows at a time."""

    def __init__(self, whisper: Any, linear: Maker) -> None:
        decoder = whisper.decoder
        self._embeddings: Tensor = decoder.embed_tokens.weight
        self._positions: Tensor = decoder.embed_positions.weight
        self._layers = [_Layer(i, layer, linear) for i, layer in enumerate(decoder.layers)]
        self._norm = decoder.layer_norm
        self._vocabulary: Linear = linear(self._embeddings, None)
        self.layers = len(self._layers)
        self.heads = int(decoder.layers[0].self_attn.num_heads)
        self.capacity = len(self._positions)
        """Tokens that fit into one window, the prompt included."""

    @property
    def like(self) -> Tensor:
        """A tensor of the kind that is computed with."""
        return self._embeddings

    @property
    def row_bytes(self) -> int:
        """What a full window costs in a batch at most, in bytes."""
        heard = 1500
        number = self._embeddings.element_size() * self._embeddings.shape[1]
        return int(2 * self.layers * (heard + self.capacity) * number)

    def __call__(self, tokens: Tensor, positions: Tensor, rows: Rows) -> Tensor:
        """Logits (rows, vocabulary) behind `tokens` (rows,), the ones at `positions` (rows,)."""
        return self._vocabulary(self._norm(self.read(tokens, positions, rows)))[:, 0]

    def read(self, tokens: Tensor, positions: Tensor, rows: Rows) -> Tensor:
        """The same without the last step, which turns what was understood into logits."""
        x = (self._embeddings[tokens] + self._positions[positions])[:, None]
        for layer in self._layers:
            x = layer(x, rows)
        return x
