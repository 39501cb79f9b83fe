import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whisper.grammar import Grammar
from engine.whisper.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_size(51_865)
CPU = torch.device("cpu")
FIRST = VOCABULARY.first_timestamp


def grammar(*seconds: float) -> Grammar:
    return Grammar(VOCABULARY, [7, 8], seconds, CPU)


def logits(**best: float) -> torch.Tensor:
    """Logits of one row; names are `t` and an id."""
    row = torch.full((1, VOCABULARY.size), -10.0)
    for name, value in best.items():
        row[0, int(name[1:])] = value
    return row


def after(grammar: Grammar, *tokens: int) -> torch.Tensor:
    """What may come after these tokens, when all is equally likely."""
    for token in tokens:
        grammar.masked(torch.zeros(1, VOCABULARY.size))
        grammar.advance(torch.tensor([token]))
    return grammar.masked(torch.zeros(1, VOCABULARY.size))[0] > -torch.inf


def test_a_row_begins_with_a_time_in_the_first_second() -> None:
    allowed = after(grammar(10.0)).nonzero()[:, 0]
    assert allowed.tolist() == list(range(FIRST, FIRST + 51))


def test_text_follows_the_first_time() -> None:
    allowed = after(grammar(10.0), FIRST)
    assert allowed[440]
    assert allowed[VOCABULARY.end]
    assert not allowed[FIRST:].any()


def test_suppressed_and_control_tokens_never_come() -> None:
    allowed = after(grammar(10.0), FIRST)
    assert not allowed[[7, 8, VOCABULARY.start, VOCABULARY.no_timestamps]].any()


def test_a_segment_ends_later_than_it_begins_and_inside_the_window() -> None:
    allowed = after(grammar(10.0), FIRST + 20, 440)[FIRST:].nonzero()[:, 0]
    assert allowed.tolist() == list(range(21, 501))


def test_after_an_end_comes_a_start_or_nothing() -> None:
    allowed = after(grammar(10.0), FIRST, 440, FIRST + 100)
    assert not allowed[: VOCABULARY.end].any()
    rules = grammar(10.0)
    for token in (FIRST, 440, FIRST + 100):
        rules.masked(torch.zeros(1, VOCABULARY.size))
        rules.advance(torch.tensor([token]))
    ended = rules.masked(logits(t50257=5.0))[0]
    assert int(ended.argmax()) == VOCABULARY.end


def test_a_segment_that_opens_before_the_end_has_text() -> None:
    assert not after(grammar(10.0), FIRST, 440, FIRST + 100, FIRST + 100)[VOCABULARY.end]
    assert after(grammar(2.2), FIRST, 440, FIRST + 100, FIRST + 100)[VOCABULARY.end]


def test_times_come_when_together_they_are_likelier_than_any_word() -> None:
    rules = grammar(30.0)
    rules.masked(torch.zeros(1, VOCABULARY.size))
    rules.advance(torch.tensor([FIRST]))
    rules.masked(torch.zeros(1, VOCABULARY.size))
    rules.advance(torch.tensor([440]))
    spread = logits(t440=1.0)
    spread[0, FIRST:] = 0.0
    assert int(rules.masked(spread)[0].argmax()) >= FIRST
    peaked = logits(t440=9.0)
    peaked[0, FIRST:] = 0.0
    assert int(rules.masked(peaked)[0].argmax()) == 440


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.lists(st.floats(0.1, 30.0), min_size=1, max_size=3))
def test_whatever_the_model_thinks_the_grammar_holds(seed: int, seconds: list[float]) -> None:
    generator = torch.Generator().manual_seed(seed)
    rules = grammar(*seconds)
    rows: list[list[int]] = [[] for _ in seconds]
    for _ in range(25):
        thought = torch.randn(len(seconds), VOCABULARY.size, generator=generator)
        thought[:, FIRST:] += 3.0 * torch.rand(1, generator=generator)
        thought[:, VOCABULARY.end] -= 9.0
        tokens = rules.masked(thought).argmax(-1)
        rules.advance(tokens)
        for row, token in zip(rows, tokens.tolist(), strict=True):
            row.append(token)
    for row, length in zip(rows, seconds, strict=True):
        end = row.index(VOCABULARY.end) if VOCABULARY.end in row else len(row)
        _follows_the_grammar(row[:end], length)


def _follows_the_grammar(row: list[int], length: float) -> None:
    times = [VOCABULARY.seconds(token) for token in row if token >= FIRST]
    assert row[0] >= FIRST
    assert times == sorted(times)
    assert times[-1] <= length + 1e-6
    kinds = "".join("t" if token >= FIRST else "w" for token in row)
    assert "ttt" not in kinds
    assert not kinds.startswith("tt")
    assert "wtw" not in kinds


def test_rows_that_leave_take_their_place_with_them() -> None:
    rules = grammar(1.0, 10.0)
    rules.masked(torch.zeros(2, VOCABULARY.size))
    rules.advance(torch.tensor([FIRST, FIRST + 10]))
    rules.masked(torch.zeros(2, VOCABULARY.size))
    rules.advance(torch.tensor([440, 440]))
    rules.keep(torch.tensor([1]))
    allowed = rules.masked(torch.zeros(1, VOCABULARY.size))[0] > -torch.inf
    assert allowed[FIRST:].nonzero()[:, 0].tolist() == list(range(11, 501))
