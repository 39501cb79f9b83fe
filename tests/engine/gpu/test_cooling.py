from dataclasses import replace

import pynvml
import pytest

from engine.gpu.cooling import HYSTERESIS_C, LONGEST_PAUSE_S, Cooling
from engine.gpu.state import Reading
from engine.gpu.watch import Watch


class Oven:
    """A card whose temperature changes with the time slept, by so many degrees a second."""

    def __init__(self, state, temperature_c: float, per_second: float) -> None:
        self.state, self.temperature_c, self.per_second = state, temperature_c, per_second
        self.now = 1000.0

    def read(self) -> Reading:
        return Reading(replace(self.state, temperature_c=round(self.temperature_c)))

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 1  # longer ones would miss an abort
        self.now += seconds
        self.temperature_c += seconds * self.per_second

    def cooling(self, limit_c: float) -> Cooling:
        return Cooling(limit_c, self.read, self.sleep, lambda: self.now)


@pytest.mark.parametrize("temperature", [40, 85])
def test_up_to_the_limit_nothing_waits(state, temperature):
    said: list[str] = []
    assert Oven(state, temperature, -1).cooling(85).rest(say=said.append) == 0
    assert said == []


def test_above_the_limit_it_waits_until_a_few_degrees_below(state):
    oven, said = Oven(state, 88, -0.5), []
    rested = oven.cooling(85).rest(say=said.append)
    assert oven.temperature_c == pytest.approx(85 - HYSTERESIS_C, abs=1)
    assert rested == pytest.approx(16, abs=2)
    assert len(said) == 1
    assert "88 °C" in said[0]
    assert "80 °C" in said[0]


def test_a_card_that_stays_hot_does_not_stop_the_work(state):
    oven = Oven(state, 90, 0)
    assert LONGEST_PAUSE_S <= oven.cooling(85).rest() <= LONGEST_PAUSE_S + 1


def test_an_abort_ends_the_pause(state):
    oven = Oven(state, 90, 0)
    assert oven.cooling(85).rest(abort=lambda: oven.now >= 1003) < 5


@pytest.mark.parametrize("error", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_GPU_IS_LOST])
def test_a_temperature_that_cannot_be_read_is_no_reason_to_wait(nvml, card, error):
    card.temperature = 99
    card.fails = dict.fromkeys(("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"), error)
    watch = Watch(nvml=nvml, environ={})
    assert Cooling(85, watch.read, sleep=pytest.fail).rest(say=pytest.fail) == 0


def test_nvml_that_fails_in_the_middle_of_a_pause_ends_it(nvml, card):
    card.temperature = 99
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        nvml.init_error = pynvml.NVML_ERROR_UNKNOWN
        card.fails["nvmlDeviceGetName"] = pynvml.NVML_ERROR_GPU_IS_LOST

    Cooling(85, Watch(nvml=nvml, environ={}).read, sleep, lambda: 0.0).rest()
    assert len(slept) == 1
