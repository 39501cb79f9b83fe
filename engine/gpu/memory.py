"""How many windows a card has memory for, computed from the checkpoint's numbers."""

from dataclasses import dataclass
from typing import Protocol, Self

CAP_SHARE = 0.85
"""Of a card's memory that this process may fill: 21.5 to 21.9 GB of the 23.6 to 24.0 GiB that cards
sold with 24 GB report. It is a share because no card reports the number on its box."""
ENCODER_WINDOWS = 8
"""Windows that go through the encoder at once, whatever the batch."""
_FILLED = 0.95
"""Of the room that rows may fill; the rest is lost between the allocator's blocks."""
_ACTIVATIONS = 16
"""Numbers per position and model dimension that an encoder layer holds at its widest: input, norm,
queries, keys, values, mixture, and the feedforward's two times four; fused attention adds none."""
_LOGITS = 4
"""Copies of a row's logits in float32 while a token is chosen."""


class Config(Protocol):
    """What is read of transformers' WhisperConfig."""

    d_model: int
    encoder_layers: int
    decoder_layers: int
    encoder_ffn_dim: int
    decoder_ffn_dim: int
    max_source_positions: int
    max_target_positions: int
    num_mel_bins: int
    vocab_size: int


@dataclass(frozen=True)
class Footprint:
    """What a checkpoint takes of a device, in bytes; `number_bytes` is 2 in half precision."""

    config: Config
    number_bytes: int

    @property
    def weights_bytes(self) -> int:
        """The model itself: 3.1 GB for large-v3 in half precision."""
        c, d = self.config, self.config.d_model
        attention = 4 * d * d + 3 * d  # keys have no bias
        norm = 2 * d

        def feedforward(width: int) -> int:
            return 2 * d * width + width + d

        encoder = 3 * d * c.num_mel_bins + 3 * d * d + 2 * d + c.max_source_positions * d + norm
        encoder += c.encoder_layers * (attention + feedforward(c.encoder_ffn_dim) + 2 * norm)
        decoder = (c.vocab_size + c.max_target_positions) * d + norm
        decoder += c.decoder_layers * (2 * attention + feedforward(c.decoder_ffn_dim) + 3 * norm)
        return (encoder + decoder) * self.number_bytes

    @property
    def heard_bytes(self) -> int:
        """Cross-attention's keys and values of a full window: 246 MB for large-v3."""
        return self._keys_values(self.config.max_source_positions)

    def row_bytes(self, tokens: int | None = None) -> int:
        """A full window in a batch, with room for so many tokens (by default all that fit)."""
        written = self._keys_values(self.config.max_target_positions if tokens is None else tokens)
        return self.heard_bytes + written + 4 * _LOGITS * self.config.vocab_size

    def encoder_bytes(self, windows: int = ENCODER_WINDOWS) -> int:
        """What comes and goes while so many windows are encoded at once.

        Their cross keys and values count in: they exist once more until the rows have taken them.
        """
        numbers = _ACTIVATIONS * self.config.max_source_positions * self.config.d_model
        return windows * (numbers * self.number_bytes + self.heard_bytes)

    def _keys_values(self, positions: int) -> int:
        return 2 * self.config.decoder_layers * positions * self.config.d_model * self.number_bytes


@dataclass(frozen=True)
class Room:
    """A card's memory as this process sees it, in bytes."""

    total_bytes: int
    free_bytes: int
    """What this process could still take, were there no cap."""
    held_bytes: int
    """What it has taken already: weights, context."""

    @classmethod
    def empty(cls, total_bytes: int, others_bytes: int = 0) -> Self:
        """A card on which other programs hold so much, and this process nothing yet."""
        return cls(total_bytes, max(0, total_bytes - others_bytes), 0)

    @property
    def open_bytes(self) -> int:
        """What this process may still take: free, and below the cap."""
        cap = int(CAP_SHARE * self.total_bytes)
        return max(0, min(self.free_bytes, cap - self.held_bytes))

    def after(self, taken_bytes: int) -> Self:
        """The same card when this process has taken so much more."""
        free, held = self.free_bytes - taken_bytes, self.held_bytes + taken_bytes
        return type(self)(self.total_bytes, max(0, free), held)


def rows_that_fit(room: Room, row_bytes: int, wanted: int, reserve_bytes: int = 0) -> int:
    """`wanted`, or as many rows as there is room for beside `reserve_bytes`; at least 1.

    The one row that is always promised may run out of memory: then nothing fits.
    """
    rows = int((room.open_bytes - reserve_bytes) * _FILLED) // row_bytes
    return max(1, min(wanted, rows))
