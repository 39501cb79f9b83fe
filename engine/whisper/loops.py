"""Rows that say the same again and again: noticed while they are written."""

from collections.abc import Sequence

from engine.whisper.vocabulary import Vocabulary

_LONGEST_PHRASE = 32
"""Tokens of a phrase whose repetition is noticed."""
_TIMES = 4
_SHORTEST_RUN = 24
"""Tokens that a repetition must span: `no, no, no, no` is speech."""
_SHORTEST_DOUBLED = 10
"""Tokens that are hardly ever said again at once: one long phrase, or a short one several times."""


def is_loop(tokens: Sequence[int], vocabulary: Vocabulary) -> bool:
    """Whether the text ends in a phrase that comes at least four times in a row.

    Times are left out: in a loop they go on.
    """
    tail = [t for t in tokens[-2 * _LONGEST_PHRASE * _TIMES :] if vocabulary.is_text(t)]
    return _repeated(tail) is not None


def is_doubled(tokens: Sequence[int], vocabulary: Vocabulary) -> bool:
    """Whether 10 tokens or more repeat what stands right before them, anywhere in the text."""
    text = [t for t in tokens if vocabulary.is_text(t)]
    for phrase in range(1, len(text) // 2 + 1):
        same = 0
        for token, later in zip(text, text[phrase:], strict=False):
            same = same + 1 if token == later else 0
            if same == max(phrase, _SHORTEST_DOUBLED):
                return True
    return False


def without_loop(tokens: Sequence[int], vocabulary: Vocabulary) -> list[int]:
    """The row up to the end of the phrase's first occurrence; times stay where they were."""
    places = [i for i, token in enumerate(tokens) if vocabulary.is_text(token)]
    text = [tokens[i] for i in places]
    phrase = _repeated(text)
    if phrase is None:
        return list(tokens)
    first = len(text) - phrase
    while first >= phrase and text[first - phrase : first] == text[first : first + phrase]:
        first -= phrase
    behind = first + phrase
    return list(tokens[: places[behind]] if behind < len(places) else tokens)


def _repeated(text: Sequence[int]) -> int | None:
    """Length of the shortest phrase that the text ends in again and again."""
    for phrase in range(1, _LONGEST_PHRASE + 1):
        span = max(_TIMES * phrase, _SHORTEST_RUN)
        if span > len(text):
            continue
        run = text[len(text) - span :]
        if run[phrase:] == run[:-phrase]:
            return phrase
    return None
