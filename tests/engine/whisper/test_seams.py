import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.windows import Window
from engine.transcript import Segment
from engine.whisper.seams import Joiner, joined


def text(segments: list[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def said(words: list[str], first: int, last: int, size: int = 5) -> list[Segment]:
    """Words at one a second, in segments of a few words."""
    return [
        Segment(start=i, end=min(i + size, last), text=" ".join(words[i : min(i + size, last)]))
        for i in range(first, last, size)
    ]


def test_words_heard_twice_are_written_once() -> None:
    before = [Segment(start=0, end=10, text="one two three four five six sev")]
    after = [Segment(start=7, end=17, text="our five six seven eight nine ten")]
    left, right = joined(before, after, 7, 10)
    assert text(left + right) == "one two three four five six seven eight nine ten"
    assert left[-1].end <= right[0].start + 1
    assert left[0].start == 0
    assert right[-1].end == 17


def test_stops_and_capitals_do_not_matter() -> None:
    before = [Segment(start=0, end=10, text="Then he went home, and")]
    after = [Segment(start=6, end=16, text="Went home. And slept.")]
    left, right = joined(before, after, 6, 10)
    assert text(left + right).split()[-1] == "slept."
    assert text(left + right).lower().count("home") == 1


def test_without_a_common_word_the_middle_parts_them() -> None:
    before = [Segment(start=0, end=10, text="a b c d e f g h i j")]
    after = [Segment(start=6, end=16, text="k l m n o p q r s t")]
    left, right = joined(before, after, 6, 10)
    assert text(left) == "a b c d e f g h"
    assert text(right) == "m n o p q r s t"


def test_scripts_without_blanks_are_joined_by_characters() -> None:
    before = [Segment(start=0, end=8, text="今日はとても良い天気")]
    after = [Segment(start=5, end=13, text="良い天気ですねそうですね")]
    left, right = joined(before, after, 5, 8)
    assert "".join(s.text for s in left + right) == "今日はとても良い天気ですねそうですね"


@given(st.integers(20, 60), st.integers(2, 8), st.integers(3, 9), st.integers(3, 9))
def test_nothing_is_lost_and_nothing_comes_twice(
    length: int, overlap: int, old_size: int, new_size: int
) -> None:
    words = [f"w{i}" for i in range(length)]
    border = length // 2
    before = said(words, 0, border + overlap, old_size)
    after = said(words, border, length, new_size)
    left, right = joined(before, after, border, border + overlap)
    assert text(left + right).split() == words


@pytest.mark.parametrize(("before", "after"), [([], ["x y"]), (["x y"], []), ([], [])])
def test_a_silent_side_leaves_the_other(before: list[str], after: list[str]) -> None:
    old = [Segment(start=0, end=3, text=t) for t in before]
    new = [Segment(start=8, end=12, text=t) for t in after]
    left, right = joined(old, new, 6, 8)
    assert [s.text for s in left + right] == before + after


def test_windows_that_do_not_join_stay_as_they_are() -> None:
    joiner = Joiner()
    first = [Segment(start=0, end=5, text="same words")]
    second = [Segment(start=6, end=9, text="same words")]
    assert joiner.add(Window(start_s=0, end_s=5), first) == []
    assert joiner.add(Window(start_s=6, end_s=9), second) == first
    assert joiner.finish() == second
    assert joiner.finish() == []


def test_a_joining_window_changes_the_one_before() -> None:
    joiner = Joiner()
    words = [f"w{i}" for i in range(20)]
    joiner.add(Window(start_s=0, end_s=12), said(words, 0, 12))
    window = Window(start_s=9, end_s=20, joins_previous=True)
    ready = joiner.add(window, said(words, 9, 20))
    assert text(ready + joiner.finish()).split() == words
