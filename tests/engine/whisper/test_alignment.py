import numpy as np
import pytest
import torch

from engine.audio.samples import Samples
from engine.audio.windows import Span
from engine.whisper import kernels
from engine.whisper.alignment import Timed, align
from engine.whisper.hearing import hear
from engine.whisper.model import Model
from engine.whisper.words import words_of

SENTENCE = " The harbour was quiet that morning."


@pytest.fixture(scope="module")
def prompt(exact_model: Model) -> list[int]:
    return exact_model.vocabulary.prompt("en")


@pytest.fixture(scope="module")
def sentence(exact_model: Model) -> list[int]:
    """The tokens of the talk's first sentence."""
    return list(exact_model.text._tokenizer.encode(SENTENCE, add_special_tokens=False).ids)


def aligned(
    model: Model, sound: Samples, prompt: list[int], text: list[int], speech: list[Span]
) -> list[Timed]:
    with torch.inference_mode():
        (memory,) = hear(model, [sound], 1.0)
        return align(model, memory, prompt, text, speech)


def test_tokens_come_one_after_the_other_inside_the_speech(
    exact_model: Model, speech: Samples, prompt: list[int], sentence: list[int]
) -> None:
    spans = [Span(0.1, 1.0), Span(1.2, 2.5)]
    timed = aligned(exact_model, speech, prompt, sentence, spans)
    assert [one.token for one in timed] == sentence
    assert all(a.start_s <= b.start_s for a, b in zip(timed, timed[1:], strict=False))
    assert all(any(s.start_s <= t.start_s <= s.end_s for s in spans) for t in timed)
    assert all(t.start_s <= t.end_s for t in timed)


@pytest.mark.e2e
def test_words_are_said_later_when_silence_comes_before(
    exact_model: Model, speech: Samples, prompt: list[int], sentence: list[int]
) -> None:
    first = speech[: int(2.4 * 16_000)]
    length = len(first) / 16_000
    late = np.concatenate([np.zeros(4 * 16_000, np.float32), first])
    now = aligned(exact_model, first, prompt, sentence, [Span(0.0, length)])
    then = aligned(exact_model, late, prompt, sentence, [Span(0.0, 4 + length)])
    shifts = [b.start_s - a.start_s for a, b in zip(now, then, strict=True)]
    assert np.median(shifts) == pytest.approx(4.0, abs=0.1)


def test_heads_that_are_not_named_are_found_in_the_upper_half(exact_model: Model) -> None:
    from types import SimpleNamespace

    from engine.whisper.model import _alignment_heads

    config = SimpleNamespace(decoder_layers=2, decoder_attention_heads=2)
    assert _alignment_heads(SimpleNamespace(), config) == ((1, 0), (1, 1))
    assert exact_model.alignment_heads[0] == (3, 1)
    assert len(exact_model.alignment_heads) == 8


def test_without_speech_or_text_there_is_nothing_to_align(
    exact_model: Model, speech: Samples, prompt: list[int], sentence: list[int]
) -> None:
    assert aligned(exact_model, speech, prompt, sentence, []) == []
    assert aligned(exact_model, speech, prompt, [], [Span(0.0, 2.0)]) == []


def test_more_text_than_fits_is_aligned_as_far_as_it_goes(
    exact_model: Model, speech: Samples, prompt: list[int], sentence: list[int]
) -> None:
    timed = aligned(exact_model, speech, prompt, sentence * 80, [Span(0.0, 5.0)])
    assert 400 < len(timed) < exact_model.decoder.capacity


def test_the_cheapest_path_goes_through_the_cheap_cells() -> None:
    cost = np.ones((3, 7), np.float32)
    for token, frames in enumerate([(0, 1), (2, 3, 4), (5, 6)]):
        cost[token, list(frames)] = 0
    starts = np.empty(3, np.int64)
    kernels.cheapest_path(cost, starts)
    assert list(starts) == [0, 2, 5]


def test_more_tokens_than_frames_share_the_first() -> None:
    starts = np.full(4, -1, np.int64)
    kernels.cheapest_path(np.zeros((4, 1), np.float32), starts)
    assert list(starts) == [0, 0, 0, 0]


def test_words_are_put_together_by_their_blanks(exact_model: Model, sentence: list[int]) -> None:
    timed = [Timed(token, i * 0.1, i * 0.1 + 0.1) for i, token in enumerate(sentence)]
    words = list(words_of(timed, exact_model.text, 10.0))
    assert "".join(word.text for word in words) == SENTENCE
    assert [word.text for word in words][:2] == [" The", " harbour"]
    assert words[0].start == 10.0
    assert words[-1].end == pytest.approx(10 + len(sentence) * 0.1)


def test_letters_that_lie_in_several_tokens_stay_whole(exact_model: Model) -> None:
    text = " 你好，世界"
    tokens = exact_model.text._tokenizer.encode(text, add_special_tokens=False).ids
    timed = [Timed(token, i * 0.1, i * 0.1 + 0.1) for i, token in enumerate(tokens)]
    words = list(words_of(timed, exact_model.text, 0.0))
    assert "".join(word.text for word in words) == text
    assert all(a.start <= b.start for a, b in zip(words, words[1:], strict=False))
