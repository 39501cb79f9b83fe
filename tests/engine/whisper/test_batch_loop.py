import numpy as np
import pytest
import torch

from engine.audio.decoding import Aborted
from engine.audio.samples import Samples
from engine.whisper import decoding
from engine.whisper.decoding import Row, decode
from engine.whisper.model import Model


def written(model: Model, *windows: Samples, seed: int = 0) -> list[str]:
    generator = torch.Generator().manual_seed(seed)
    rows = decode(model, windows, "en", generator=generator, abort=lambda: False)
    is_text = model.vocabulary.is_text
    return [model.text.text([t for t in row.tokens if is_text(t)]) for row in rows]


def noise(seconds: float, loudness: float) -> Samples:
    drawn = np.random.default_rng(0).normal(0.0, loudness, round(seconds * 16_000))
    return drawn.astype(np.float32)


def test_speech_is_written(model: Model, speech: Samples) -> None:
    (text,) = written(model, speech)
    assert "harbour was quiet" in text or "harbor was quiet" in text
    assert "storm" in text


def test_rows_of_a_batch_do_not_disturb_each_other(model: Model, speech: Samples) -> None:
    short = speech[: 3 * 16_000]
    together = written(model, speech, short, noise(4, 0.05))
    assert together[0].split()[:4] == written(model, speech)[0].split()[:4]
    assert "quiet" in together[1]
    assert together[2] == ""


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.1])
def test_nothing_is_written_where_nobody_speaks(model: Model, loudness: float) -> None:
    assert written(model, noise(8, loudness)) == [""]


def test_music_is_no_speech(model: Model) -> None:
    t = np.arange(10 * 16_000) / 16_000
    notes = np.array([262, 294, 330, 349, 392, 440])[(t * 3).astype(int) % 6]
    assert written(model, (0.3 * np.sin(2 * np.pi * notes * t)).astype(np.float32)) == [""]


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_an_abort_is_heard_at_every_step(model: Model, speech: Samples, after: int) -> None:
    asked = 0

    def abort() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Aborted):
        decode(model, [speech, speech], "en", generator=torch.Generator(), abort=abort)
    assert asked <= after + 3  # the encoders of both windows may ask at once


def test_a_row_that_loops_is_tried_again(
    model: Model, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = decoding.is_loop
    looped: list[bool] = []

    def once(tokens: list[int], vocabulary: object) -> bool:
        if not looped and len(tokens) > 6:
            looped.append(True)
            return True
        return real(tokens, model.vocabulary)

    monkeypatch.setattr(decoding, "is_loop", once)
    (text,) = written(model, speech)
    assert looped
    assert "storm" in text


def test_a_row_that_always_fails_keeps_its_best(
    model: Model, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "TRIES", ((0.0, 1.0), (0.4, 1.0)))
    monkeypatch.setattr(decoding, "WORST_LOGPROB", 1.0)
    first, again = written(model, speech), written(model, speech)
    assert "storm" in first[0]
    assert first == again


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
        (Row([1] * 9, -8.0, 0.95), True, True),
    ],
)
def test_what_a_row_is_worth(row: Row, silent: bool, believable: bool) -> None:
    assert (row.silent, row.believable) == (silent, believable)


def test_of_two_failures_the_one_without_loop_then_the_surer_is_kept() -> None:
    looped, guess = Row([1], -0.2, looped=True), Row([1], -9.0)
    surer = Row([1], -5.0)
    assert decoding._better(looped, guess) is guess
    assert decoding._better(guess, looped) is guess
    assert decoding._better(guess, surer) is surer
    assert decoding._better(None, looped) is looped
