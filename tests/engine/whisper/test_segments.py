import pytest

from engine.audio.windows import Window
from engine.transcript import Word
from engine.whisper import segments
from engine.whisper.alignment import Timed
from engine.whisper.vocabulary import TextDecoder, Vocabulary, tokenizer_of_words

VOCABULARY = Vocabulary.of_size(51_865)
DECODER = TextDecoder(tokenizer_of_words(["Ġone", "Ġtwo", "Ġthree", ".", "Ġ..."]))
WINDOW = Window(start_s=100.0, end_s=110.0)


def at(seconds: float) -> int:
    return VOCABULARY.first_timestamp + round(seconds * 50)


def found(*tokens: int) -> list[tuple[float, float, str]]:
    made = segments.of_tokens(tokens, [], WINDOW, VOCABULARY, DECODER)
    return [(s.start, s.end, s.text) for s in made]


def test_times_are_those_of_the_file() -> None:
    row = [at(0.5), 0, 1, at(2.0), at(2.5), 2, 3, at(4.0)]
    assert found(*row) == [(100.5, 102.0, "one two"), (102.5, 104.0, "three.")]


def test_a_missing_end_is_the_end_of_the_window() -> None:
    assert found(at(1.0), 0) == [(101.0, 110.0, "one")]


def test_no_segment_leaves_its_window() -> None:
    assert found(at(9.0), 0, at(12.0), at(12.0), 1) == [
        (109.0, 110.0, "one"),
        (110.0, 110.0, "two"),
    ]


def test_a_segment_without_words_is_none() -> None:
    assert found(at(0.0), 4, at(2.0), at(2.0)) == []
    assert found(at(0.0)) == []
    assert found() == []


@pytest.mark.parametrize(
    ("text", "line"), [(" a  b\n", "a b"), ("caf\ufffd", "caf"), (" ♪♪ ", ""), ("…", "")]
)
def test_text_is_one_line_of_words(text: str, line: str) -> None:
    assert segments.clean(text) == line


def test_words_come_with_their_own_times() -> None:
    timed = [Timed(0, 0.5, 0.9), Timed(1, 1.0, 1.4), Timed(3, 1.4, 1.5), Timed(2, 3.0, 3.5)]
    tokens = [at(0.4), 0, 1, 3, at(2.0), at(2.8), 2, at(4.0)]
    one, two = segments.of_tokens(tokens, timed, WINDOW, VOCABULARY, DECODER)
    assert one.words == (
        Word(start=100.5, end=100.9, text=" one"),
        Word(start=101.0, end=101.5, text=" two."),
    )
    assert two.words == (Word(start=103.0, end=103.5, text=" three"),)


def test_a_segment_of_which_times_are_missing_has_no_words() -> None:
    tokens = [at(0.4), 0, 1, at(2.0)]
    (segment,) = segments.of_tokens(tokens, [Timed(0, 0.5, 0.9)], WINDOW, VOCABULARY, DECODER)
    assert segment.words is None
