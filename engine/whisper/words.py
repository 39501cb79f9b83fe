"""Tokens and their times put together to words."""

import re
from collections.abc import Iterator, Sequence

from engine.transcript import Word
from engine.whisper.alignment import Timed
from engine.whisper.vocabulary import TextDecoder

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
"""A word with the blanks before it; in scripts without blanks a character."""


def words_of(timed: Sequence[Timed], decoder: TextDecoder, from_s: float) -> Iterator[Word]:
    """The words of text tokens whose times count from `from_s`, in order."""
    tokens = [one.token for one in timed]
    # Letters that lie in several tokens are whole with the last of them.
    ends = [len(decoder.text(tokens[: behind + 1])) for behind in range(len(tokens))]
    first = 0
    for found in WORD.finditer(decoder.text(tokens)):
        last = first
        while last < len(tokens) - 1 and ends[last] < found.end():
            last += 1
        start, end = from_s + timed[first].start_s, from_s + timed[last].end_s
        yield Word(start=round(start, 3), end=round(max(start, end), 3), text=found.group())
        first = last if ends[last] > found.end() else min(last + 1, len(tokens) - 1)
