"""Whisper's grammar of timestamps: what may come next in each row of a batch.

A row is `<|start|> text <|end|>` again and again. Times never fall, a segment is never empty in
time, and no time lies behind the end of the window.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.whisper.vocabulary import SECONDS_PER_TIMESTAMP, TIMESTAMPS, Vocabulary

LATEST_FIRST_TIME_S = 1.0
"""Seconds from the window's start by which the first segment has begun."""

SHORTEST_LAST_SEGMENT_S = 0.5
"""A segment that opens earlier before the window's end has text: nothing heard is left out."""


class Grammar:
    """Masks the logits of a batch of rows, each as far as it is."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        suppressed: Sequence[int],
        seconds: Sequence[float],
        device: torch.device,
    ) -> None:
        """`suppressed` tokens never come; `seconds` are the lengths of the rows' windows."""
        self._vocabulary = vocabulary
        self._never = torch.zeros(vocabulary.size, device=device)
        self._never[list(suppressed)] = -torch.inf
        self._never[vocabulary.end + 1 : vocabulary.first_timestamp] = -torch.inf
        self._steps = torch.arange(TIMESTAMPS, device=device)
        last = [min(int(s / SECONDS_PER_TIMESTAMP), TIMESTAMPS - 1) for s in seconds]
        self._latest = torch.tensor(last, device=device)
        self._earliest = torch.zeros_like(self._latest)
        self._after_time = torch.zeros_like(self._latest, dtype=torch.bool)
        self._in_pair = torch.ones_like(self._after_time)
        self._started = False
        self._shortest = int(SHORTEST_LAST_SEGMENT_S / SECONDS_PER_TIMESTAMP)

    def masked(self, logits: Tensor) -> Tensor:
        """The logits (rows, vocabulary) in float32, with everything that may not come at -inf."""
        logits = logits.float() + self._never
        text, times = logits.tensor_split([self._vocabulary.first_timestamp], dim=1)
        steps = self._steps[None]
        times.masked_fill_(
            (steps < self._earliest[:, None]) | (steps > self._latest[:, None]), -torch.inf
        )
        if not self._started:
            text.fill_(-torch.inf)
            times[:, int(LATEST_FIRST_TIME_S / SECONDS_PER_TIMESTAMP) + 1 :] = -torch.inf
            return logits
        opened, closed = self._after_time & self._in_pair, self._after_time & ~self._in_pair
        times.masked_fill_(opened[:, None], -torch.inf)
        text[:, : self._vocabulary.end].masked_fill_(closed[:, None], -torch.inf)
        goes_on = opened & (self._earliest > 1) & (self._latest - self._earliest > self._shortest)
        text[:, self._vocabulary.end].masked_fill_(goes_on, -torch.inf)
        # Logits have the same normaliser, so sum and maximum may be compared without a softmax.
        any_time = torch.logsumexp(times, dim=1) > text.amax(dim=1)
        text.masked_fill_(any_time[:, None], -torch.inf)
        return logits

    def advance(self, tokens: Tensor) -> None:
        """Each row has gone on with its token (rows,)."""
        step = tokens - self._vocabulary.first_timestamp
        is_time = step >= 0
        # The time after a time opens a segment, which then must last at least one step.
        opens = self._after_time | (not self._started)
        self._earliest = torch.where(is_time, step + opens, self._earliest)
        self._in_pair = self._after_time | (not self._started)
        self._after_time = is_time
        self._started = True

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone."""
        self._latest, self._earliest = self._latest[rows], self._earliest[rows]
        self._after_time, self._in_pair = self._after_time[rows], self._in_pair[rows]
