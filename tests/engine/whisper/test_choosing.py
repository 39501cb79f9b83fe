import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whisper.choosing import Chooser
from engine.whisper.grammar import Allowed
from engine.whisper.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_size(51_865)
FIRST, END = VOCABULARY.first_timestamp, VOCABULARY.end
CHOOSER = Chooser(VOCABULARY, [7, 8], torch.device("cpu"))
ALL = Allowed(True, True, 0, 1500)
OPENED = Allowed(True, True, 1501, -1)
CLOSED = Allowed(False, True, 100, 500)
UNSTARTED = Allowed(False, False, 0, 50)


def logits(**best: float) -> torch.Tensor:
    """One row; names are `t` and an id."""
    row = torch.full((1, VOCABULARY.size), -10.0)
    for name, value in best.items():
        row[0, int(name[1:])] = value
    return row


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**31),
    st.lists(st.sampled_from([ALL, OPENED, CLOSED, UNSTARTED]), min_size=1, max_size=5),
    st.floats(0.0, 8.0),
)
def test_the_likeliest_token_is_the_best_of_all_that_are_allowed(
    seed: int, allowed: list[Allowed], favour: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    thought = 2 * torch.randn(len(allowed), VOCABULARY.size, generator=generator)
    thought[:, FIRST:] += favour * torch.rand(1, generator=generator)
    before = thought.clone()
    chosen = CHOOSER.likeliest(thought, allowed)
    every = CHOOSER.logprobs(thought, allowed)
    assert torch.equal(thought, before)
    assert [choice.token for choice in chosen] == every.argmax(1).tolist()
    best = every.amax(1).tolist()
    assert [choice.logprob for choice in chosen] == pytest.approx(best, abs=1e-4)


def test_suppressed_and_control_tokens_never_come() -> None:
    wild = logits(t7=9.0, t8=9.0, **{f"t{VOCABULARY.start}": 9.0, "t440": 1.0})
    assert CHOOSER.likeliest(wild, [ALL])[0].token == 440
    chances = CHOOSER.logprobs(wild, [ALL])[0]
    banned = [7, 8, VOCABULARY.start, VOCABULARY.no_timestamps]
    assert torch.isinf(chances[banned]).all()


def test_times_come_when_together_they_are_likelier_than_any_word() -> None:
    spread = logits(t440=1.0)
    spread[0, FIRST:] = 0.0
    assert CHOOSER.likeliest(spread, [ALL])[0].token >= FIRST
    peaked = logits(t440=9.0)
    peaked[0, FIRST:] = 0.0
    assert CHOOSER.likeliest(peaked, [ALL])[0].token == 440


def test_the_end_comes_when_it_is_likelier_than_any_word() -> None:
    ended = logits(**{f"t{END}": 5.0, "t440": 4.0})
    assert CHOOSER.likeliest(ended, [ALL])[0].token == END
    assert CHOOSER.likeliest(ended, [ALL._replace(end=False)])[0].token == 440


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    flat = logits()
    first = CHOOSER.drawn(flat[0], OPENED, 1.0, torch.Generator().manual_seed(1))
    assert first == CHOOSER.drawn(flat[0], OPENED, 1.0, torch.Generator().manual_seed(1))
    others = {
        CHOOSER.drawn(flat[0], OPENED, 1.0, torch.Generator().manual_seed(n)).token
        for n in range(9)
    }
    assert len(others) > 5
    assert all(token <= END for token in others)
