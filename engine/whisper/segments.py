"""Tokens of a window turned into segments in the time of the file."""

from collections.abc import Iterator, Sequence

from engine.audio.windows import Window
from engine.transcript import Segment
from engine.whisper.vocabulary import TextDecoder, Vocabulary


def of_tokens(
    tokens: Sequence[int], window: Window, vocabulary: Vocabulary, decoder: TextDecoder
) -> list[Segment]:
    """The segments that a row of tokens holds, ordered and inside the window.

    Where the model told no end, the segment lasts as long as the window.
    """
    segments = []
    for start, end, text in _marked(tokens, vocabulary):
        said = clean(decoder.text(text))
        if said:
            first = min(window.start_s + start, window.end_s)
            last = window.end_s if end is None else min(window.start_s + end, window.end_s)
            segments.append(
                Segment(start=round(first, 3), end=round(max(first, last), 3), text=said)
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
