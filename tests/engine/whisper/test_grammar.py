import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.whisper.grammar import Grammar
from engine.whisper.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_size(51_865)
FIRST = VOCABULARY.first_timestamp
WORD = 440


def after(seconds: float, *tokens: int) -> Grammar:
    """A row of a window of that length, behind these tokens."""
    grammar = Grammar.of_window(VOCABULARY, seconds)
    for token in tokens:
        grammar.advance(token)
    return grammar


def times(grammar: Grammar) -> range:
    allowed = grammar.allowed()
    return range(allowed.first_time, allowed.last_time + 1)


def test_a_row_begins_with_a_time_in_the_first_second() -> None:
    allowed = after(10.0).allowed()
    assert (allowed.text, allowed.end) == (False, False)
    assert times(after(10.0)) == range(51)
    assert times(after(0.5)) == range(26)


def test_text_or_the_end_follows_the_first_time() -> None:
    grammar = after(10.0, FIRST)
    assert (grammar.allowed().text, grammar.allowed().end) == (True, True)
    assert not times(grammar)


def test_a_segment_ends_later_than_it_begins_and_inside_the_window() -> None:
    assert times(after(10.0, FIRST + 20, WORD)) == range(21, 501)


def test_after_an_end_comes_a_start_or_nothing() -> None:
    allowed = after(10.0, FIRST, WORD, FIRST + 100).allowed()
    assert (allowed.text, allowed.end) == (False, True)
    assert times(after(10.0, FIRST, WORD, FIRST + 100)) == range(100, 501)


def test_a_segment_that_opens_before_the_end_has_text() -> None:
    assert not after(10.0, FIRST, WORD, FIRST + 100, FIRST + 100).allowed().end
    assert after(2.2, FIRST, WORD, FIRST + 100, FIRST + 100).allowed().end


@pytest.mark.parametrize("seconds", [0.0, 0.3, 31.0])
def test_no_time_lies_beyond_what_whisper_hears(seconds: float) -> None:
    assert times(after(seconds)).stop <= min(int(seconds / 0.02), 50) + 1
    assert after(seconds).latest <= 1500


@given(st.floats(0.1, 30.0), st.data())
def test_whatever_the_model_chooses_the_grammar_holds(seconds: float, data: st.DataObject) -> None:
    grammar, row = after(seconds), []
    for _ in range(40):
        allowed, steps = grammar.allowed(), times(grammar)
        choices = [WORD] * allowed.text + [VOCABULARY.end] * allowed.end
        choices += [FIRST + data.draw(st.sampled_from(steps))] if steps else []
        token = data.draw(st.sampled_from(choices))
        if token == VOCABULARY.end:
            break
        row.append(token)
        grammar.advance(token)
    said = [VOCABULARY.seconds(token) for token in row if token >= FIRST]
    assert row[0] >= FIRST
    assert said == sorted(said)
    assert said[-1] <= seconds + 1e-6
    kinds = "".join("t" if token >= FIRST else "w" for token in row)
    assert "ttt" not in kinds
    assert not kinds.startswith("tt")
    assert "wtw" not in kinds
