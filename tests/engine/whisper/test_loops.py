from hypothesis import given
from hypothesis import strategies as st

from engine.whisper.loops import is_doubled, is_loop, without_loop
from engine.whisper.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_size(51_865)
TIME = VOCABULARY.first_timestamp


def loop(row: list[int]) -> bool:
    return is_loop(row, VOCABULARY)


def test_a_word_said_a_few_times_is_speech() -> None:
    assert not loop([TIME, 5, 6, *[9, 10] * 4])


def test_a_phrase_said_again_and_again_is_a_loop() -> None:
    assert loop([TIME, 5, 6, *range(100, 108), *[9, 10, 11, 12, 13, 14] * 4])


def test_times_between_do_not_hide_it() -> None:
    row = [TIME]
    for i in range(6):
        row += [20, 21, 22, 23, 24, 25, TIME + 50 * (i + 1), TIME + 50 * (i + 1)]
    assert loop(row)


def test_the_phrase_is_left_once_with_its_end() -> None:
    phrase = [9, 10, 11, 12, 13, 14]
    row = [TIME, 5, *phrase, TIME + 40, TIME + 40, *phrase, TIME + 80, TIME + 80, *phrase * 3]
    assert without_loop(row, VOCABULARY) == [TIME, 5, *phrase, TIME + 40, TIME + 40]


def test_what_is_no_loop_stays() -> None:
    assert without_loop([TIME, 1, 2, 3], VOCABULARY) == [TIME, 1, 2, 3]


@given(
    st.lists(st.integers(0, 400), max_size=20),
    st.lists(st.integers(0, 400), min_size=1, max_size=32),
    st.integers(24, 40),
)
def test_every_loop_is_found_and_ends(before: list[int], phrase: list[int], times: int) -> None:
    row = [*before, *phrase * times]
    assert loop(row)
    left = without_loop(row, VOCABULARY)
    assert not loop(left)
    assert row[: len(left)] == left


def test_a_long_phrase_twice_in_a_row_is_doubled_whatever_stands_around_it() -> None:
    phrase = list(range(100, 112))
    around = [TIME, 5, *phrase[:7], TIME + 9, TIME + 9, *phrase[7:], *phrase, 6, TIME + 30]
    assert is_doubled(around, VOCABULARY)
    assert not is_doubled([*phrase[:9], *phrase[:9]], VOCABULARY)
    assert not is_doubled([*phrase, 5, *phrase], VOCABULARY)


def test_a_sentence_said_three_times_is_doubled() -> None:
    sentence = [100, 101, 102, 103, 104, 105]
    assert is_doubled([5, *sentence * 3], VOCABULARY)
    assert not is_doubled([5, *sentence * 2], VOCABULARY)


@given(st.lists(st.integers(0, 3), max_size=80))
def test_doubled_is_what_a_slow_search_finds(text: list[int]) -> None:
    slow = any(
        text[i : i + length] == text[i + n : i + n + length]
        for n in range(1, len(text) // 2 + 1)
        for length in [max(n, 10)]
        for i in range(len(text) - n - length + 1)
    )
    assert is_doubled(text, VOCABULARY) is slow
