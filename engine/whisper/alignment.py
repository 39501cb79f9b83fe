"""When each word was said: where the decoder looks while it writes, followed along one path.

The finished text goes through the decoder once more, all tokens at once. Some of its attention
heads look at the sound of the word that comes next (the checkpoint names them); the cheapest way
through their mean, from the first token and sound to the last, gives every token its time. Frames
in which nobody speaks are left out before, so that no word falls into a pause.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from torch import Tensor

from engine.audio.windows import Span
from engine.whisper import kernels
from engine.whisper.encoder import Memory
from engine.whisper.model import Model

FRAME_S = 0.02
"""Seconds of an encoder position."""
_SMOOTHED = 5
"""Frames over which the attention is averaged: single ones jump."""


class Timed(NamedTuple):
    """A text token and when it was said, in seconds from the window's start."""

    token: int
    start_s: float
    end_s: float


class _Window:
    """The tokens of one window as rows at once; notes where the heads that align look."""

    def __init__(self, memory: Memory, heads: Sequence[tuple[int, int]], tokens: int) -> None:
        self._memory = memory
        self._heads = heads
        like = memory.keys[0]
        self._later = torch.full((tokens, tokens), -torch.inf, device=like.device).triu(1)
        self.looks: list[Tensor] = []

    def to_written(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """See `Rows`."""
        asked, known, said = (x[:, :, 0].transpose(0, 1) for x in (queries, keys, values))
        scores = (asked @ known.transpose(1, 2)).float() + self._later
        return _side_by_side(scores.softmax(-1).to(said.dtype) @ said)

    def to_heard(self, layer: int, queries: Tensor) -> Tensor:
        """See `Rows`."""
        asked = queries[:, :, 0].transpose(0, 1)
        weights = (asked @ self._memory.keys[layer].transpose(1, 2)).softmax(-1)
        self.looks += [weights[head] for number, head in self._heads if number == layer]
        return _side_by_side(weights @ self._memory.values[layer])


def align(
    model: Model, memory: Memory, prompt: Sequence[int], text: Sequence[int], speech: Sequence[Span]
) -> list[Timed]:
    """The times of text tokens that were written about one window.

    `speech` is where somebody speaks, in seconds from the window's start; without any, or without
    text, there is nothing to align.
    """
    frames = _spoken_frames(speech, memory.positions)
    room = model.decoder.capacity - len(prompt) - 2
    text = text[:room]
    if not len(frames) or not text:
        return []
    tokens = [*prompt, model.vocabulary.no_timestamps, *text, model.vocabulary.end]
    window = _Window(memory, model.alignment_heads, len(tokens))
    device = memory.keys[0].device
    model.decoder.read(
        torch.tensor(tokens, device=device), torch.arange(len(tokens), device=device), window
    )
    # What is said next is looked at: the row of a token tells the time of the one behind it.
    first = len(prompt)
    heard = torch.from_numpy(frames).to(device)
    looks = torch.stack([look[first : first + len(text) + 1, heard] for look in window.looks])
    starts = np.empty(len(text) + 1, np.int64)
    kernels.cheapest_path(_cost(looks.float()), starts)
    starts = np.minimum(starts, len(frames) - 1)
    begins = frames[starts[:-1]] * FRAME_S
    ends = np.maximum(frames[np.maximum(starts[1:] - 1, starts[:-1])] * FRAME_S + FRAME_S, begins)
    return [Timed(t, float(b), float(e)) for t, b, e in zip(text, begins, ends, strict=True)]


def _cost(looks: Tensor) -> NDArray[np.float32]:
    """(heads, tokens, frames) as the price of each frame for each token."""
    spread, mean = torch.std_mean(looks, dim=1, keepdim=True, correction=0)
    seen = ((looks - mean) / spread.clamp(min=1e-6)).mean(0)
    smooth = F.avg_pool1d(seen, _SMOOTHED, 1, _SMOOTHED // 2, count_include_pad=False)
    cost: NDArray[np.float32] = (-smooth).cpu().numpy()
    return cost


def _spoken_frames(speech: Sequence[Span], positions: int) -> NDArray[np.int64]:
    """Encoder positions in which somebody speaks."""
    parts = [
        np.arange(max(0, int(s.start_s / FRAME_S)), min(positions, round(s.end_s / FRAME_S)))
        for s in speech
    ]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _side_by_side(heads: Tensor) -> Tensor:
    """(heads, tokens, 64) to (tokens, 1, heads x 64)."""
    return heads.transpose(0, 1).flatten(1)[:, None]
