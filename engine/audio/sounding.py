"""Speech up to where its sound ends: breath, soft beginnings and echoes escape the detector."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.audio.windows import Span

_STEP_S = 0.02
_STEP_SAMPLES = int(_STEP_S * SAMPLE_RATE)
_LEAST_S = 0.1
"""By which speech is always widened."""
_MOST_S = 0.5
_BELOW_SPEECH_DB = 28.0
"""Sound this much quieter than the speech beside it does not belong to it."""
_ABOVE_PAUSE_DB = 6.0
"""Nor does what is hardly louder than the rest of the pause: a noisy room."""
_SHORTEST_QUIET_STEPS = 4
_SILENCE_DB = -120.0

Levels = NDArray[np.float32]


class LevelMeter:
    """Hands blocks of samples on and notes how loud they are, by 20 ms."""

    def __init__(self) -> None:
        self._levels: list[Levels] = []
        self._left = np.empty(0, np.float32)

    def passing(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """The same blocks."""
        for block in blocks:
            self._note(block)
            yield block
        if len(self._left):
            self._note(np.zeros(-len(self._left) % _STEP_SAMPLES, np.float32))

    @property
    def levels(self) -> Levels:
        """In dB of full scale, of all that has passed."""
        return np.concatenate(self._levels) if self._levels else np.empty(0, np.float32)

    def _note(self, block: Samples) -> None:
        whole = np.concatenate([self._left, block])
        steps = len(whole) // _STEP_SAMPLES
        self._left = whole[steps * _STEP_SAMPLES :]
        power = np.square(whole[: steps * _STEP_SAMPLES]).reshape(steps, -1).mean(1)
        decibels = 10 * np.log10(np.maximum(power, 10 ** (_SILENCE_DB / 10)))
        self._levels.append(decibels.astype(np.float32))


def sounding(speech: Sequence[Span], levels: Levels) -> tuple[Span, ...]:
    """The same stretches, each widened by 0.1 to 0.5 s on both sides, as far as it can be heard.

    No further than half of the pause to the next; ordered and inside the recording as before.
    """
    duration_s = len(levels) * _STEP_S
    before, after = Span(-duration_s, 0.0), Span(duration_s, 2 * duration_s)
    if not speech:
        return ()
    own = [_level(levels, span) for span in speech]
    starts, ends = [], []
    for index, (left, right) in enumerate(pairwise([before, *speech, after])):
        pause = levels[_step(left.end_s) : _step(right.start_s)]
        floor = float(np.quantile(pause, 0.2)) + _ABOVE_PAUSE_DB if len(pause) else 0.0
        half = (right.start_s - left.end_s) / (2 if 0 < index < len(speech) else 1)
        if index > 0:
            loud = pause > max(own[index - 1] - _BELOW_SPEECH_DB, floor)
            ends.append(left.end_s + _reach(loud, half))
        if index < len(speech):
            loud = pause[::-1] > max(own[index] - _BELOW_SPEECH_DB, floor)
            starts.append(right.start_s - _reach(loud, half))
    return tuple(
        Span(round(start, 3), round(end, 3)) for start, end in zip(starts, ends, strict=True)
    )


def _reach(loud: NDArray[np.bool_], most_s: float) -> float:
    """Seconds that speech goes on into a pause, whose steps from there on are loud or not."""
    last = quiet = 0
    for step, is_loud in enumerate(loud[: int(_MOST_S / _STEP_S)], start=1):
        if is_loud:
            last, quiet = step, 0
        else:
            quiet += 1
            if quiet == _SHORTEST_QUIET_STEPS:
                break
    return max(0.0, min(max(last * _STEP_S, _LEAST_S), most_s))


def _level(levels: Levels, span: Span) -> float:
    steps = levels[_step(span.start_s) : max(_step(span.end_s), _step(span.start_s) + 1)]
    return float(steps.mean()) if len(steps) else _SILENCE_DB


def _step(seconds: float) -> int:
    return round(seconds / _STEP_S)
