import pynvml
import pytest

from engine.gpu.state import GpuState, cuda_version, throttle_words
from engine.gpu.watch import Watch

ALONE: dict[str, str] = {}
OPTIONAL = {
    "nvmlDeviceGetMemoryInfo": {"used_bytes", "total_bytes"},
    "nvmlDeviceGetUtilizationRates": {"load_percent"},
    "nvmlDeviceGetCudaComputeCapability": {"capability"},
    "nvmlDeviceGetName": {"name"},
}


def test_the_stand_in_has_the_real_modules_functions(nvml):
    for name in nvml.functions:
        assert callable(getattr(pynvml, name)), name


def test_every_figure_is_read_in_its_unit(nvml, card):
    with Watch(nvml=nvml, environ=ALONE) as watch:
        reading = watch.read()
    assert reading.why is None
    assert reading.state == GpuState(
        name="NVIDIA GeForce RTX 4090",
        uuid=card.uuid,
        capability=(8, 9),
        driver_version="581.29",
        cuda_version=(13, 0),
        used_bytes=2 * 1024**3,
        total_bytes=24_564 * 1024**2,
        load_percent=97,
        temperature_c=66,
        throttles=("power limit",),
    )


def test_each_reading_is_new_and_nvml_is_opened_once(nvml, card):
    with Watch(nvml=nvml, environ=ALONE) as watch:
        assert watch.read().state.temperature_c == 66
        card.temperature = 80
        assert watch.read().state.temperature_c == 80
        assert nvml.opened == 1
    assert (nvml.opened, nvml.most_opened) == (0, 1)


@pytest.mark.parametrize("function", OPTIONAL)
@pytest.mark.parametrize(
    "error", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_NO_PERMISSION]
)
def test_what_a_card_does_not_support_is_missing_alone(nvml, card, function, error):
    card.fails[function] = error
    state = Watch(nvml=nvml, environ=ALONE).read().state
    missing = {name for name, value in vars(state).items() if value is None}
    assert missing == OPTIONAL[function]


@pytest.mark.parametrize(
    ("new", "old", "kept"),
    [
        ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature", "temperature_c"),
        (
            "nvmlDeviceGetCurrentClocksEventReasons",
            "nvmlDeviceGetCurrentClocksThrottleReasons",
            "throttles",
        ),
    ],
)
def test_older_drivers_and_later_pynvml_are_asked_by_the_other_name(nvml, card, new, old, kept):
    card.fails[new] = pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
    watch = Watch(nvml=nvml, environ=ALONE)
    assert getattr(watch.read().state, kept) is not None
    del card.fails[new]
    delattr(nvml, old)
    assert getattr(watch.read().state, kept) is not None
    delattr(nvml, new)
    assert getattr(watch.read().state, kept) is None


@pytest.mark.parametrize(
    ("error", "no_driver", "says"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, True, "No NVIDIA driver"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, True, "No NVIDIA driver"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, False, "restart"),
        (pynvml.NVML_ERROR_UNKNOWN, False, "NVML does not answer"),
    ],
)
def test_without_nvml_there_is_no_state_but_a_reason(nvml, error, no_driver, says):
    nvml.init_error = error
    watch = Watch(nvml=nvml, environ=ALONE)
    reading = watch.read()
    assert (reading.state, reading.no_driver) == (None, no_driver)
    assert says in reading.why
    nvml.init_error = None
    assert watch.read().state is not None


def test_a_card_that_is_lost_is_found_again(nvml, card):
    watch = Watch(nvml=nvml, environ=ALONE)
    assert watch.read().state is not None
    card.fails["nvmlDeviceGetUtilizationRates"] = pynvml.NVML_ERROR_GPU_IS_LOST
    reading = watch.read()
    assert reading.state is None
    assert "restart" in reading.why
    assert nvml.opened == 0
    card.fails.clear()
    assert watch.read().state is not None


def test_closing_twice_or_after_nvml_has_gone_is_no_error(nvml):
    watch = Watch(nvml=nvml, environ=ALONE)
    watch.read()
    nvml.opened = 0
    watch.close()
    watch.close()


def test_the_real_nvml_of_this_machine_answers_or_says_why():
    with Watch() as watch:
        reading = watch.read()
    assert (reading.state is None) == (reading.why is not None)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x000, ()),
        (0x001, ()),  # idle
        (0x102, ()),  # clocks that somebody set
        (0x004 | 0x020, ("power limit", "heat")),
        (0x040, ("heat, stopped by the hardware",)),
    ],
)
def test_throttle_reasons_are_words_and_idling_is_none(bits, words):
    assert throttle_words(bits) == words


@pytest.mark.parametrize(("number", "version"), [(12040, (12, 4)), (13000, (13, 0))])
def test_a_cuda_is_named_by_one_number(number, version):
    assert cuda_version(number) == version
