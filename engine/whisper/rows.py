"""What was written about a window, and whether to believe it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.whisper.alignment import Timed
from engine.whisper.loops import without_loop
from engine.whisper.vocabulary import TextDecoder, Vocabulary

WORST_COMPRESSION = 2.4
"""Text that zlib makes smaller than by this factor repeats itself."""
WORST_LOGPROB = -1.0
"""Mean per token; below it the model guesses."""
NO_SPEECH = 0.6
"""Probability from which on a row that cannot be believed counts as silence."""
SURELY_NO_SPEECH = 0.9
"""Probability from which on a doubtful row does, too."""
DOUBTFUL_LOGPROB = -0.7


NO_SPEECH_AT_LAST = 0.3
"""Probability from which on a row that no try could write believably counts as silence."""


@dataclass
class Row:
    """What was written about one window, and how sure the model is."""

    tokens: list[int] = field(default_factory=list)
    logprob_sum: float = 0.0
    no_speech: float = 0.0
    looped: bool = False
    doubled: bool = False
    """It repeats itself: Whisper's doing, unless another try hears it twice as well."""
    compression: float = 0.0
    timed: list[Timed] = field(default_factory=list)
    """Its text tokens with their times, once it is final."""

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
    def hopeless(self) -> bool:
        """Perhaps nobody speaks here, and what was written is a guess even at the last try."""
        return self.no_speech > NO_SPEECH_AT_LAST and self.mean_logprob < WORST_LOGPROB

    @property
    def believable(self) -> bool:
        """Whether there is no reason to try again."""
        return self.silent or not (self._nonsense or self.doubled)


def better(old: Row | None, new: Row) -> Row:
    """Of two tries at the same window the one to keep."""
    if old is None:
        return new
    if old.doubled and new.doubled:
        new.doubled = False
    if new.believable:
        return new
    if old.looped != new.looped:
        return old if new.looped else new
    return max(old, new, key=lambda row: row.mean_logprob)


def final(row: Row, vocabulary: Vocabulary) -> Row:
    """The row, after its last try, without what nobody said."""
    if row.silent or row.hopeless:
        row.tokens = []
    elif row.looped:
        row.tokens = without_loop(row.tokens, vocabulary)
    return row


def compression(tokens: Sequence[int], vocabulary: Vocabulary, decoder: TextDecoder) -> float:
    """By how much zlib makes the text smaller; 0 where there is none."""
    text = decoder.text([t for t in tokens if vocabulary.is_text(t)]).encode("utf-8")
    return len(text) / len(zlib.compress(text)) if text else 0.0
