"""From logits to tokens: the likeliest of what the grammar allows, or a drawn one."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.whisper.grammar import Allowed
from engine.whisper.vocabulary import TIMESTAMPS, Vocabulary


class Choice(NamedTuple):
    """A token and its log-probability among all that were allowed."""

    token: int
    logprob: float


class Chooser:
    """Knows which tokens never come."""

    def __init__(
        self, vocabulary: Vocabulary, suppressed: Sequence[int], device: torch.device
    ) -> None:
        self._vocabulary = vocabulary
        self._suppressed = torch.tensor(suppressed, dtype=torch.long, device=device)
        self._steps = torch.arange(TIMESTAMPS, device=device)

    def likeliest(self, logits: Tensor, allowed: Sequence[Allowed]) -> list[Choice]:
        """The best token of every row (rows, vocabulary).

        Times come as a whole: where all of them together are likelier than any text, one of them
        comes. Text is passed over as few times as possible, it is most of the work.
        """
        text, end, times, text_ok, end_ok = self._parts(logits, allowed)
        best_text, text_token = text.max(1)
        all_text = text.logsumexp(1)
        blocked = torch.full_like(end, -torch.inf)
        best_text = torch.where(text_ok, best_text, blocked)
        all_text = torch.where(text_ok, all_text, blocked)
        end = torch.where(end_ok, end, blocked)
        best_time, time_token = times.max(1)
        all_times = times.logsumexp(1)
        ends = end > best_text
        best_word = torch.maximum(end, best_text)
        timed = all_times > best_word
        token = torch.where(ends, self._vocabulary.end, text_token)
        token = torch.where(timed, time_token + self._vocabulary.first_timestamp, token)
        everything = torch.logaddexp(torch.logaddexp(all_text, end), all_times)
        logprob = torch.where(timed, best_time - all_times, best_word - everything)
        return [
            Choice(int(t), p)
            for t, p in torch.stack([token.double(), logprob.double()], 1).tolist()
        ]

    def logprobs(self, logits: Tensor, allowed: Sequence[Allowed]) -> Tensor:
        """Log-probabilities (rows, vocabulary) among what is allowed, -inf for all else."""
        text, end, times, text_ok, end_ok = self._parts(logits, allowed)
        result = torch.full_like(logits, -torch.inf, dtype=torch.float32)
        text = text.masked_fill(~text_ok[:, None], -torch.inf)
        end = end.masked_fill(~end_ok, -torch.inf)
        # Logits have the same normaliser: sum and maximum may be compared without a softmax.
        timed = times.logsumexp(1) > torch.maximum(text.amax(1), end)
        result[:, : self._vocabulary.end] = text.masked_fill(timed[:, None], -torch.inf)
        result[:, self._vocabulary.end] = end.masked_fill(timed, -torch.inf)
        result[:, self._vocabulary.first_timestamp :] = times
        return result.log_softmax(1)

    def drawn(
        self, logits: Tensor, allowed: Allowed, temperature: float, generator: torch.Generator
    ) -> Choice:
        """A token of one row (vocabulary,), drawn by its probability at this temperature."""
        chances = self.logprobs(logits[None], [allowed])[0].cpu()
        spread = torch.softmax(chances / temperature, 0)
        token = int(torch.multinomial(spread, 1, generator=generator))
        return Choice(token, float(chances[token]))

    def _parts(
        self, logits: Tensor, allowed: Sequence[Allowed]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Text without what never comes, the end, times inside their bounds; who may have which."""
        text = logits[:, : self._vocabulary.end].float()
        if text.data_ptr() == logits.data_ptr():
            text = text.clone()
        text.index_fill_(1, self._suppressed, -torch.inf)
        end = logits[:, self._vocabulary.end].float()
        rules = torch.tensor(allowed, device=logits.device)
        steps = self._steps[None]
        beyond = (steps < rules[:, 2:3]) | (steps > rules[:, 3:4])
        times = logits[:, self._vocabulary.first_timestamp :].float()
        times = times.masked_fill(beyond, -torch.inf)
        return text, end, times, rules[:, 0].bool(), rules[:, 1].bool()
