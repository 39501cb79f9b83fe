from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio import windows as windows_of
from engine.audio.windows import Span, Window, plan
from engine.whisper.presets import PRESETS, Preset

OPTIMIERT = PRESETS["optimiert"]
MARGIN_S = 0.3
ODD = [Preset("odd", 1, 5, 15, 1), Preset("odd", 1, 90, 0, 1), Preset("odd", 1, 7.5, 2.5, 1)]


@st.composite
def recordings(draw):
    """Speech of all lengths with pauses of all lengths, and the duration."""
    lengths = st.tuples(
        st.floats(0.05, 8) | st.floats(20, 200), st.floats(0.1, 1) | st.floats(0, 9)
    )
    now, spans = draw(st.floats(0, 5)), []
    for speech, pause in draw(st.lists(lengths, max_size=40)):
        spans.append(Span(now, now + speech))
        now += speech + pause
    return draw(st.permutations(spans)), now + draw(st.floats(-0.5, 5))


def without_seams(speech):
    """The same stretches in order, those that touch as one."""
    whole = []
    for span in sorted(speech, key=lambda span: span.start_s):
        if whole and span.start_s <= whole[-1].end_s:
            whole[-1] = Span(whole[-1].start_s, span.end_s)
        else:
            whole.append(span)
    return whole


@given(recordings(), st.sampled_from([*PRESETS.values(), *ODD]))
def test_windows_overlap_only_where_speech_runs_on(recording, preset):
    speech, duration = recording
    for one, following in pairwise(plan(speech, max(duration, 0), preset)):
        if one.end_s > following.start_s + 1e-6:
            assert following.joins_previous
        if following.joins_previous:
            first, last = following.start_s + MARGIN_S, one.end_s - MARGIN_S
            assert any(
                span.start_s <= first + 1e-6 and last <= span.end_s + 1e-6
                for span in without_seams(speech)
            )


@given(recordings(), st.sampled_from([*PRESETS.values(), *ODD]))
def test_every_second_of_speech_is_heard_in_short_ordered_windows(recording, preset):
    speech, duration = recording
    duration = max(duration, 0)
    windows = plan(speech, duration, preset)
    for window in windows:
        assert 0 <= window.start_s < window.end_s <= duration
        assert window.duration_s <= min(30, preset.chunk_seconds) + 1e-6
    for one, following in pairwise(windows):
        assert one.start_s < following.start_s
        assert one.end_s < following.end_s
        shared = one.end_s - following.start_s
        assert shared <= (preset.overlap_seconds if following.joins_previous else 0) + 1e-6
    for span in speech:
        now = span.start_s
        for window in windows:
            if window.start_s <= now + 1e-6:
                now = max(now, window.end_s)
        assert now >= min(span.end_s, duration) - 1e-6


def test_no_speech_needs_no_window():
    assert plan([], 100, OPTIMIERT) == ()
    assert plan([Span(50, 60)], 40, OPTIMIERT) == ()


def test_neighbouring_sentences_share_a_window():
    speech = [Span(1, 5), Span(5.8, 9), Span(10, 14)]
    assert plan(speech, 20, OPTIMIERT) == (Window(start_s=0.7, end_s=14.3),)


def test_a_long_silence_is_in_no_window():
    first, second = plan([Span(1, 5), Span(12, 15)], 20, OPTIMIERT)
    assert (first.end_s, second.start_s) == pytest.approx((5.3, 11.7))


def test_the_cut_goes_where_the_pause_is_longest():
    speech = [Span(0, 9), Span(9.2, 16), Span(17.1, 24), Span(24.2, 33), Span(33.2, 40)]
    first, second = plan(speech, 40, OPTIMIERT)
    assert (first.end_s, second.start_s) == pytest.approx((16.3, 16.8))
    assert not second.joins_previous


def test_only_unbroken_speech_makes_a_window_longer_than_26_seconds():
    sentences = [Span(5 * i, 5 * i + 4.4) for i in range(30)]
    assert 19 < max(window.duration_s for window in plan(sentences, 150, OPTIMIERT)) <= 26
    (unbroken,) = plan([Span(0, 29)], 29, OPTIMIERT)
    assert unbroken.duration_s == 29


def test_speech_without_a_pause_is_heard_in_overlapping_windows():
    windows = plan([Span(0, 70)], 70, OPTIMIERT)
    assert [window.joins_previous for window in windows] == [False, True, True]
    for one, following in pairwise(windows):
        assert one.end_s - following.start_s == pytest.approx(OPTIMIERT.overlap_seconds)


def test_spans_that_touch_overlap_or_come_unordered_count_once():
    whole = plan([Span(2, 9)], 20, OPTIMIERT)
    assert plan([Span(5, 9), Span(2, 5), Span(3, 4)], 20, OPTIMIERT) == whole


def test_ten_hours_are_planned_in_a_moment():
    speech = [Span(3 * i, 3 * i + 2.6) for i in range(12_000)]
    windows = plan(speech, 36_000, OPTIMIERT)
    assert sum(window.duration_s for window in windows) >= 12_000 * 2.6
    assert len(windows) < 1_700


@pytest.mark.parametrize("preset", [*PRESETS.values(), *ODD], ids=lambda preset: preset.name)
def test_ten_hours_without_a_pause_are_heard_to_the_end(preset):
    windows = plan([Span(0, 36_000)], 36_000, preset)
    assert (windows[0].start_s, windows[-1].end_s) == (0, 36_000)
    for one, following in pairwise(windows):
        shared = min(preset.overlap_seconds, min(30, preset.chunk_seconds) / 3)
        assert one.end_s - following.start_s == pytest.approx(shared, abs=1e-6)
    assert max(window.duration_s for window in windows) <= 30 + 1e-6


@pytest.mark.parametrize(("speech_s", "pause_s"), [(2.6, 0.4), (0.3, 0.2), (7.0, 1.5)])
def test_the_work_of_planning_grows_with_the_length_alone(speech_s, pause_s, monkeypatch):
    weighed = []
    real = windows_of._cut_cost
    monkeypatch.setattr(windows_of, "_cut_cost", lambda piece: weighed.append(1) or real(piece))
    counts = []
    for spans in (1000, 2000, 4000):
        weighed.clear()
        step = speech_s + pause_s
        speech = [Span(i * step, i * step + speech_s) for i in range(spans)]
        plan(speech, spans * step, OPTIMIERT)
        counts.append(len(weighed))
    assert counts[1] == pytest.approx(2 * counts[0], rel=0.1)
    assert counts[2] == pytest.approx(4 * counts[0], rel=0.1)
