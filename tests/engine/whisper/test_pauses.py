from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.audio.windows import Span, Window
from engine.transcript import Segment, Word
from engine.whisper.pauses import at_pauses

WINDOW = Window(start_s=10.0, end_s=20.0)
SPEECH = (Span(10.2, 12.0), Span(12.2, 13.0), Span(15.0, 19.0))


def segment(start: float, end: float, *words: tuple[float, float, str]) -> Segment:
    said = tuple(Word(start=a, end=b, text=text) for a, b, text in words)
    text = "".join(word.text for word in said).strip()
    return Segment(start=start, end=end, text=text, words=said)


def bounds(segments: list[Segment]) -> list[tuple[float, float, str]]:
    return [(s.start, s.end, s.text) for s in segments]


def test_a_segment_is_parted_where_a_pause_is_long() -> None:
    ran_over = segment(10.0, 18.0, (10.4, 11, " one"), (12.5, 13, " two"), (15.1, 16, " three"))
    assert bounds(at_pauses([ran_over], WINDOW, SPEECH)) == [
        (10.2, 13.0, "one two"),
        (15.0, 16.0, "three"),
    ]


def test_bounds_move_to_where_speech_begins_and_ends() -> None:
    early = segment(10.0, 14.0, (10.4, 11, " one"), (12.5, 12.9, " two"))
    late = segment(14.0, 20.0, (15.3, 16, " three"), (17, 18.6, " four"))
    assert bounds(at_pauses([early, late], WINDOW, SPEECH)) == [
        (10.2, 13.0, "one two"),
        (15.0, 19.0, "three four"),
    ]


def test_inside_a_stretch_whispers_own_times_stay() -> None:
    one = segment(15.0, 17.1, (15.2, 16, " one"))
    two = segment(17.1, 19.5, (17.2, 18.9, " two"))
    assert bounds(at_pauses([one, two], WINDOW, SPEECH)) == [
        (15.0, 17.1, "one"),
        (17.1, 19.0, "two"),
    ]


def test_words_without_times_leave_a_segment_as_it_is() -> None:
    bare = Segment(start=10.0, end=19.0, text="one two")
    assert at_pauses([bare], WINDOW, SPEECH) == [bare]
    assert at_pauses([segment(10.0, 11.0, (10, 11, " one"))], WINDOW, ()) == [
        segment(10.0, 11.0, (10, 11, " one"))
    ]


def test_speech_that_runs_on_ends_with_the_window() -> None:
    whole = segment(10.0, 20.0, (10.1, 11, " one"), (19.0, 19.9, " two"))
    assert bounds(at_pauses([whole], WINDOW, [Span(5.0, 30.0)])) == [(10.0, 20.0, "one two")]


TIMES = st.floats(10.0, 20.0)


@given(
    st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=8),
    st.lists(st.tuples(TIMES, TIMES), max_size=5),
)
def test_no_word_is_lost_and_segments_stay_in_order(
    said: list[tuple[float, float]], heard: list[tuple[float, float]]
) -> None:
    words = [
        Word(start=min(pair), end=max(pair), text=f" w{i}") for i, pair in enumerate(sorted(said))
    ]
    edges = sorted(edge for pair in heard for edge in pair)
    speech = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    whole = Segment(
        start=10.0, end=20.0, text=" ".join(w.text.strip() for w in words), words=tuple(words)
    )
    parts = at_pauses([whole], WINDOW, speech)
    assert " ".join(part.text for part in parts) == whole.text
    assert all(part.start <= part.end for part in parts)
    assert all(a.start <= b.start for a, b in pairwise(parts))
