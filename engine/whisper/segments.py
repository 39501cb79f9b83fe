"""Tokens of a window turned into segments in the time of the file."""

from collections.abc import Iterator, Sequence
from itertools import islice

from engine.audio.windows import Window
from engine.transcript import Segment
from engine.whisper.alignment import Timed
from engine.whisper.vocabulary import TextDecoder, Vocabulary
from engine.whisper.words import words_of


def of_tokens(
    tokens: Sequence[int],
    timed: Sequence[Timed],
    window: Window,
    vocabulary: Vocabulary,
    decoder: TextDecoder,
) -> list[Segment]:
    """The segments that a row of tokens holds, ordered and inside the window.

    `timed` are its text tokens with their times; where there are none, segments have no words.
    Where the model told no end, the segment lasts as long as the window.
    """
    segments = []
    known = iter(timed)
    for start, end, text in _marked(tokens, vocabulary):
        times = list(islice(known, len(text)))
        said = clean(decoder.text(text))
        if said:
            words = tuple(words_of(times, decoder, window.start_s))
            first = min(window.start_s + start, window.end_s)
            last = window.end_s if end is None else min(window.start_s + end, window.end_s)
            segments.append(
                Segment(
                    start=round(first, 3),
                    end=round(max(first, last), 3),
                    text=said,
                    words=words if len(times) == len(text) else None,
                )
            )
    return segments


def clean(text: str) -> str:
    """Text in one line; empty where nothing can be pronounced, such as `...`."""
    line = " ".join(text.replace("\ufffd", "").split())
    return line if any(char.isalnum() for char in line) else ""


def _marked(
    tokens: Sequence[int], vocabulary: Vocabulary
) -> Iterator[tuple[float, float | None, list[int]]]:
    """Start, end and text tokens of each segment; times in seconds from the window's start."""
    start = 0.0
    text: list[int] = []
    for token in tokens:
        if vocabulary.is_text(token):
            text.append(token)
            continue
        time = vocabulary.seconds(token)
        if text:
            yield start, time, text
            text = []
        start = time
    if text:
        yield start, None, text
