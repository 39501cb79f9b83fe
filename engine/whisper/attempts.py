"""One try at one window: its rows in the batch, and how they go on."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.whisper.choosing import Choice, Chooser
from engine.whisper.grammar import Allowed, Grammar
from engine.whisper.loops import is_doubled, is_loop
from engine.whisper.model import Model
from engine.whisper.rows import Row, compression


@dataclass
class _Line:
    """One way to write the window down, as far as it is."""

    grammar: Grammar
    tokens: list[int] = field(default_factory=list)
    logprob_sum: float = 0.0

    def with_choice(self, choice: Choice) -> "_Line":
        """The line that goes on so."""
        grammar = copy(self.grammar)
        grammar.advance(choice.token)
        return _Line(grammar, [*self.tokens, choice.token], self.logprob_sum + choice.logprob)


class Attempt:
    """Writes a window's likeliest text, token by token; `temperature` above 0 draws instead.

    With `beams` above 1 that many texts are followed side by side (the window has as many rows).
    """

    def __init__(
        self,
        model: Model,
        chooser: Chooser,
        prompt: Sequence[int],
        seconds: float,
        *,
        beams: int = 1,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._model = model
        self._chooser = chooser
        self._prompt = prompt
        self._spoken = 0
        self._beams = beams if temperature == 0 else 1
        self._temperature = temperature
        self._generator = torch.Generator().manual_seed(seed)
        self._lines = [_Line(Grammar.of_window(model.vocabulary, seconds))]
        self._ended: list[Row] = []
        self._no_speech = 0.0

    @property
    def rows(self) -> int:
        """How many rows of the batch it has."""
        return len(self._lines)

    def next_tokens(self) -> list[int]:
        """What each row goes on with."""
        if self._spoken < len(self._prompt):
            return [self._prompt[self._spoken]]
        return [line.tokens[-1] for line in self._lines]

    def allowed(self) -> list[Allowed]:
        """What may come next in each row."""
        return [line.grammar.allowed() for line in self._lines]

    def advance(self, logits: Tensor, likeliest: Sequence[Choice]) -> list[int]:
        """Go on, given logits (rows, vocabulary) and the best choice of each row.

        Returns which of its rows go on, some perhaps twice; none when the window is written.
        """
        if self._spoken == 0:
            chances = logits[0].float().softmax(-1)
            self._no_speech = float(chances[self._model.vocabulary.no_speech])
        self._spoken += 1
        if self._spoken < len(self._prompt):
            return [0]
        if self._beams > 1:
            return self._widened(logits)
        choice = likeliest[0]
        if self._temperature:
            allowed = self._lines[0].grammar.allowed()
            choice = self._chooser.drawn(logits[0], allowed, self._temperature, self._generator)
        self._take(self._lines[0], choice)
        return [0] if not self._ended else []

    @property
    def result(self) -> Row:
        """The best of what was written."""
        row = max(self._ended, key=lambda row: (not row.looped, row.mean_logprob))
        row.doubled = is_doubled(row.tokens, self._model.vocabulary)
        row.compression = compression(row.tokens, self._model.vocabulary, self._model.text)
        return row

    def _take(self, line: _Line, choice: Choice) -> None:
        """Let the only line go on in place: copying it would cost more with every token."""
        line.logprob_sum += choice.logprob
        if choice.token == self._model.vocabulary.end:
            self._end(line, looped=False)
            return
        line.tokens.append(choice.token)
        line.grammar.advance(choice.token)
        if is_loop(line.tokens, self._model.vocabulary):
            self._end(line, looped=True)
        elif self._full(line):
            self._end(line, looped=False)

    def _widened(self, logits: Tensor) -> list[int]:
        sums = torch.tensor([[line.logprob_sum] for line in self._lines], device=logits.device)
        totals = self._chooser.logprobs(logits, self.allowed()) + sums
        best = totals.flatten().topk(2 * self._beams)
        lines: list[_Line] = []
        parents: list[int] = []
        for total, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            parent, token = divmod(place, logits.shape[1])
            if total == -torch.inf or len(lines) == self._beams:
                break
            line = self._lines[parent]
            if token == self._model.vocabulary.end:
                ended = copy(line)
                ended.logprob_sum = total
                self._end(ended, looped=False)
                continue
            line = line.with_choice(Choice(token, total - line.logprob_sum))
            if is_loop(line.tokens, self._model.vocabulary) or self._full(line):
                self._end(line, looped=not self._full(line))
                continue
            lines.append(line)
            parents.append(parent)
        if len(self._ended) >= self._beams or not lines:
            return []
        self._lines = lines
        return parents

    def _full(self, line: _Line) -> bool:
        return len(self._prompt) + len(line.tokens) >= self._model.decoder.capacity

    def _end(self, line: _Line, *, looped: bool) -> None:
        self._ended.append(Row(line.tokens, line.logprob_sum, self._no_speech, looped))
