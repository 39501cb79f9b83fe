"""The batch loop: from heard windows to tokens, and what to think of them."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.audio.samples import Samples
from engine.whisper.grammar import Grammar
from engine.whisper.listening import check, listen, seconds
from engine.whisper.loops import is_loop, without_loop
from engine.whisper.model import Model
from engine.whisper.network import State

MARGIN_S = 1.0
"""Silence heard behind a window at the first try, which makes short windows cheap."""
FULL_S = 30.0
"""At later tries: the window is filled with silence, as it was when Whisper learnt."""
TRIES = (
    (0.0, MARGIN_S),
    (0.0, FULL_S),
    (0.2, FULL_S),
    (0.4, FULL_S),
    (0.6, FULL_S),
    (0.8, FULL_S),
    (1.0, FULL_S),
)
"""Temperature and margin, in this order until a row can be believed."""
WORST_COMPRESSION = 2.4
"""Text that zlib makes smaller than by this factor repeats itself."""
WORST_LOGPROB = -1.0
"""Mean per token; below it the model guesses."""
NO_SPEECH = 0.6
"""Probability from which on a row that cannot be believed counts as silence."""
SURELY_NO_SPEECH = 0.9
"""Probability from which on a doubtful row does, too."""
DOUBTFUL_LOGPROB = -0.7
_SHRINK = 0.75
"""Share of rows still at work from which on the finished ones leave the batch."""


@dataclass
class Row:
    """What was written about one window, and how sure the model is."""

    tokens: list[int] = field(default_factory=list)
    logprob_sum: float = 0.0
    no_speech: float = 0.0
    looped: bool = False
    compression: float = 0.0

    @property
    def mean_logprob(self) -> float:
        """Per token, the end token counted in."""
        return self.logprob_sum / (len(self.tokens) + 1)

    @property
    def _nonsense(self) -> bool:
        repeats = self.looped or self.compression > WORST_COMPRESSION
        return repeats or self.mean_logprob < WORST_LOGPROB

    @property
    def silent(self) -> bool:
        """Nobody speaks here, whatever was written."""
        if self.no_speech > SURELY_NO_SPEECH and self.mean_logprob < DOUBTFUL_LOGPROB:
            return True
        return self.no_speech > NO_SPEECH and self._nonsense

    @property
    def believable(self) -> bool:
        """Whether there is no reason to try again."""
        return self.silent or not self._nonsense


def decode(
    model: Model,
    windows: Sequence[Samples],
    language: str,
    *,
    generator: torch.Generator,
    abort: Callable[[], bool],
) -> list[Row]:
    """Write down what is said in each window, as one batch; rows that fail are tried again, warmer.

    Raises:
        Aborted: `abort` said so.
    """
    best: dict[int, Row] = {}
    open_rows = list(range(len(windows)))
    for temperature, margin_s in TRIES:
        heard = listen(model, [windows[i] for i in open_rows], margin_s, abort)
        lengths = [seconds(windows[i]) for i in open_rows]
        batch = _Batch(model, heard, lengths, language, temperature, generator)
        for i, row in zip(open_rows, batch.write(abort), strict=True):
            best[i] = _better(best.get(i), row)
        open_rows = [i for i in open_rows if not best[i].believable]
        if not open_rows:
            break
    return [_final(best[i], model) for i in range(len(windows))]


def _better(old: Row | None, new: Row) -> Row:
    if old is None or new.believable:
        return new
    if old.looped != new.looped:
        return old if new.looped else new
    return max(old, new, key=lambda row: row.mean_logprob)


def _final(row: Row, model: Model) -> Row:
    if row.silent:
        row.tokens = []
    elif row.looped:
        row.tokens = without_loop(row.tokens, model.vocabulary)
    return row


class _Batch:
    """One pass over a batch of rows at one temperature."""

    def __init__(
        self,
        model: Model,
        state: State,
        lengths: Sequence[float],
        language: str,
        temperature: float,
        generator: torch.Generator,
    ) -> None:
        self._model = model
        self._state = state
        self._prompt = model.vocabulary.prompt(language)
        self._grammar = Grammar(model.vocabulary, model.suppressed, lengths, model.device)
        self._temperature = temperature
        self._generator = generator
        self._rows = [Row() for _ in lengths]
        self._in_batch = list(range(len(lengths)))
        """Which row stands at each place of the batch."""
        self._finished: set[int] = set()

    @torch.inference_mode()
    def write(self, abort: Callable[[], bool]) -> list[Row]:
        """Go on until every row has ended."""
        logits = self._start()
        for _ in range(self._model.decoder.capacity - len(self._prompt)):
            check(abort)
            tokens = self._choose(logits)
            if len(self._finished) == len(self._rows):
                break
            tokens = self._shrink(tokens)
            logits = self._model.decoder(tokens[:, None], self._state)[:, -1]
        for row in self._rows:
            row.compression = _compression(self._model, row.tokens)
        return self._rows

    def _start(self) -> Tensor:
        prompt = torch.tensor(self._prompt, device=self._model.device)
        logits = self._model.decoder(prompt.expand(len(self._rows), -1), self._state)
        silence = logits[:, 0].float().softmax(-1)[:, self._model.vocabulary.no_speech]
        for row, probability in zip(self._rows, silence.tolist(), strict=True):
            row.no_speech = probability
        return logits[:, -1]

    def _choose(self, logits: Tensor) -> Tensor:
        logits = self._grammar.masked(logits)
        if self._temperature:
            chances = torch.softmax(logits / self._temperature, -1)
            tokens = torch.multinomial(chances, 1, generator=self._generator)[:, 0]
        else:
            tokens = logits.argmax(-1)
        chosen = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(-1)
        self._grammar.advance(tokens)
        for index, token, logprob in zip(
            self._in_batch, tokens.tolist(), chosen.tolist(), strict=True
        ):
            if index not in self._finished:
                self._append(index, token, logprob)
        return tokens

    def _append(self, index: int, token: int, logprob: float) -> None:
        row = self._rows[index]
        row.logprob_sum += logprob
        if token == self._model.vocabulary.end:
            self._finished.add(index)
            return
        row.tokens.append(token)
        if is_loop(row.tokens, self._model.vocabulary):
            row.looped = True
            self._finished.add(index)

    def _shrink(self, tokens: Tensor) -> Tensor:
        at_work = [i for i, row in enumerate(self._in_batch) if row not in self._finished]
        if len(at_work) > _SHRINK * len(self._in_batch):
            return tokens
        self._in_batch = [self._in_batch[i] for i in at_work]
        kept = torch.tensor(at_work, device=tokens.device)
        self._state.keep(kept)
        self._grammar.keep(kept)
        return tokens[kept]


def _compression(model: Model, tokens: Sequence[int]) -> float:
    text = model.text.text([t for t in tokens if model.vocabulary.is_text(t)]).encode("utf-8")
    return len(text) / len(zlib.compress(text)) if text else 0.0
