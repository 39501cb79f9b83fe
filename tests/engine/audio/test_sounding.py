import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.audio.sounding import LevelMeter, sounding
from engine.audio.windows import Span


def loud(seconds: float, decibels: float) -> Samples:
    drawn = np.random.default_rng(0).normal(0.0, 10 ** (decibels / 20), int(seconds * SAMPLE_RATE))
    return drawn.astype(np.float32)


def levels(*parts: tuple[float, float]) -> np.ndarray:
    meter = LevelMeter()
    list(meter.passing(loud(*part) for part in parts))
    return meter.levels


def test_speech_reaches_as_far_as_its_sound() -> None:
    heard = levels((2, -70), (0.3, -40), (2, -20), (0.2, -35), (3, -70))
    (span,) = sounding([Span(2.3, 4.3)], heard)
    assert span.start_s == pytest.approx(2.0, abs=0.03)
    assert span.end_s == pytest.approx(4.5, abs=0.03)


def test_it_is_widened_a_little_where_nothing_is_heard() -> None:
    heard = levels((2, -70), (2, -20), (2, -70))
    assert sounding([Span(2.0, 4.0)], heard) == (Span(1.9, 4.1),)


def test_the_noise_of_a_room_does_not_belong_to_it() -> None:
    heard = levels((3, -40), (2, -20), (3, -40))
    assert sounding([Span(3.0, 5.0)], heard) == (Span(2.9, 5.1),)


def test_it_never_reaches_further_than_half_a_second() -> None:
    heard = levels((0.5, -70), (2, -30), (2, -20), (2, -30), (1, -70))
    (span,) = sounding([Span(2.5, 4.5)], heard)
    assert span.start_s >= 2.0
    assert span.end_s <= 5.0


@given(
    st.lists(st.floats(0.02, 3.0), min_size=1, max_size=12),
    st.lists(st.floats(-90, -10), min_size=1, max_size=12),
)
def test_stretches_stay_apart_and_only_grow(lengths: list[float], loudness: list[float]) -> None:
    parts = [(length, loudness[i % len(loudness)]) for i, length in enumerate(lengths)]
    edges = np.cumsum([0.0, *lengths])
    speech = [Span(*edges[i : i + 2]) for i in range(1, len(lengths), 2)]
    wide = sounding(speech, levels(*parts))
    assert len(wide) == len(speech)
    for old, new in zip(speech, wide, strict=True):
        assert new.start_s <= old.start_s + 0.02
        assert new.end_s >= old.end_s - 0.02
    assert all(a.end_s <= b.start_s + 0.002 for a, b in zip(wide, wide[1:], strict=False))


def test_blocks_of_any_size_give_the_same_levels() -> None:
    sound = loud(1.01, -20)
    whole, parted = LevelMeter(), LevelMeter()
    list(whole.passing([sound]))
    list(parted.passing(np.array_split(sound, 37)))
    assert len(whole.levels) == 51
    assert np.allclose(whole.levels, parted.levels, atol=1e-4)
