import pytest

from engine.whisper.model import Model
from engine.whisper.rows import Row, better, compression, final


@pytest.mark.parametrize(
    ("row", "silent", "believable"),
    [
        (Row([1] * 9, -3.0, 0.1), False, True),
        (Row([1] * 9, -30.0, 0.1), False, False),
        (Row([1] * 9, -30.0, 0.7), True, True),
        (Row([1] * 9, -3.0, 0.7), False, True),
        (Row([1] * 9, -3.0, 0.7, looped=True), True, True),
        (Row([1] * 9, -3.0, 0.1, looped=True), False, False),
        (Row([1] * 9, -3.0, 0.1, compression=3.0), False, False),
        (Row([1] * 9, -3.0, 0.1, doubled=True), False, False),
        (Row([1] * 9, -8.0, 0.95), True, True),
    ],
)
def test_what_a_row_is_worth(row: Row, silent: bool, believable: bool) -> None:
    assert (row.silent, row.believable) == (silent, believable)


def test_of_two_failures_the_one_without_loop_then_the_surer_is_kept() -> None:
    looped, guess = Row([1], -0.2, looped=True), Row([1], -9.0)
    surer = Row([1], -5.0)
    assert better(looped, guess) is guess
    assert better(guess, looped) is guess
    assert better(guess, surer) is surer
    assert better(None, looped) is looped


def test_what_can_be_believed_is_kept_at_once() -> None:
    believable = Row([1] * 9, -3.0, 0.1)
    assert better(Row([1], -0.1, looped=True), believable) is believable


def test_what_one_try_alone_says_twice_was_said_once() -> None:
    once = Row([1] * 9, -3.0, 0.1)
    assert better(Row([1] * 9, -1.0, 0.1, doubled=True), once) is once


def test_what_two_tries_say_twice_was_said_twice() -> None:
    again = Row([1] * 9, -3.0, 0.1, doubled=True)
    assert better(Row([1] * 9, -1.0, 0.1, doubled=True), again) is again
    assert again.believable


def test_text_that_repeats_itself_is_made_much_smaller(model: Model) -> None:
    words = model.text
    said = list(range(400, 440))
    again = [500, 501, 502] * 40
    assert compression([], model.vocabulary, words) == 0.0
    assert (
        compression(said, model.vocabulary, words)
        < 2.4
        < compression(again, model.vocabulary, words)
    )


def test_a_guess_at_what_may_be_silence_says_nothing_after_the_last_try(model: Model) -> None:
    assert final(Row([400] * 9, -15.0, 0.34), model.vocabulary).tokens == []
    assert final(Row([400] * 9, -15.0, 0.2), model.vocabulary).tokens == [400] * 9


def test_a_silent_row_says_nothing_and_a_loop_is_said_once(model: Model) -> None:
    assert final(Row([400] * 9, -30.0, 0.7), model.vocabulary).tokens == []
    looped = Row([400, *([500, 501, 502] * 12)], -3.0, 0.1, looped=True)
    assert final(looped, model.vocabulary).tokens == [400, 500, 501, 502]
