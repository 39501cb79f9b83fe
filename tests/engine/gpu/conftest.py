"""A driver that is not there: the functions of pynvml that are used, with its names and units."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from engine.gpu.state import GpuState

GIB = 1024**3


@dataclass
class Card:
    """What NVML says of one card; a number of pynvml.NVML_ERROR_… where it cannot say it."""

    uuid: str = "GPU-11111111-2222-3333-4444-555555555555"
    name: str = "NVIDIA GeForce RTX 4090"
    capability: Any = (8, 9)
    used: int = 2 * GIB
    total: int = 24_564 * 1024**2
    load: int = 97
    temperature: int = 66
    clocks: int = 0x004
    fails: dict[str, int] = field(default_factory=dict)
    """Functions that raise, and their error's number."""


class Nvml:
    """Stands in for the module; functions are attributes, so that a driver may lack some."""

    NVML_TEMPERATURE_GPU = pynvml.NVML_TEMPERATURE_GPU

    def __init__(self, *cards: Card, driver: str = "581.29", cuda: int = 13000) -> None:
        self.cards = cards
        self.opened = 0
        self.most_opened = 0
        self.init_error: int | None = None
        for name in dir(pynvml):
            if name.startswith("NVMLError"):
                setattr(self, name, getattr(pynvml, name))
        of_card = {
            "nvmlDeviceGetName": lambda card: card.name,
            "nvmlDeviceGetUUID": lambda card: card.uuid,
            "nvmlDeviceGetCudaComputeCapability": lambda card: card.capability,
            "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(
                used=card.used, total=card.total, free=card.total - card.used
            ),
            "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=card.load, memory=0),
            "nvmlDeviceGetTemperatureV": lambda card, sensor: card.temperature,
            "nvmlDeviceGetTemperature": lambda card, sensor: card.temperature,
            "nvmlDeviceGetCurrentClocksEventReasons": lambda card: card.clocks,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda card: card.clocks,
        }
        for name, answer in of_card.items():
            setattr(self, name, _asked(name, answer))
        of_driver = {
            "nvmlInit": self._init,
            "nvmlShutdown": self._shutdown,
            "nvmlDeviceGetCount": lambda: len(self.cards),
            "nvmlDeviceGetHandleByIndex": lambda index: self.cards[index],
            "nvmlDeviceGetHandleByUUID": self._by_uuid,
            "nvmlSystemGetDriverVersion": lambda: driver,
            "nvmlSystemGetCudaDriverVersion_v2": lambda: cuda,
            "nvmlSystemGetCudaDriverVersion": lambda: cuda,
        }
        for name, answer in of_driver.items():
            setattr(self, name, answer)
        self.functions = [*of_card, *of_driver]

    def _init(self) -> None:
        if self.init_error is not None:
            raise pynvml.NVMLError(self.init_error)
        self.opened += 1
        self.most_opened = max(self.most_opened, self.opened)

    def _shutdown(self) -> None:
        if not self.opened:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        self.opened -= 1

    def _by_uuid(self, uuid: str) -> Card:
        for card in self.cards:
            if card.uuid == uuid:
                return card
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)


def _asked(name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
    def function(card: Card, *arguments: Any) -> Any:
        if name in card.fails:
            raise pynvml.NVMLError(card.fails[name])
        return answer(card, *arguments)

    return function


@pytest.fixture
def new_card() -> type[Card]:
    """Makes cards."""
    return Card


@pytest.fixture
def new_nvml() -> type[Nvml]:
    """Makes drivers."""
    return Nvml


@pytest.fixture
def card() -> Card:
    """An RTX 4090 at work."""
    return Card()


@pytest.fixture
def nvml(card: Card) -> Nvml:
    """A driver with that card alone."""
    return Nvml(card)


@pytest.fixture
def state() -> GpuState:
    """An RTX 4090 with a driver of CUDA 13."""
    return GpuState(
        name="NVIDIA GeForce RTX 4090",
        uuid="GPU-11111111-2222-3333-4444-555555555555",
        capability=(8, 9),
        driver_version="581.29",
        cuda_version=(13, 0),
        used_bytes=2 * GIB,
        total_bytes=24_564 * 1024**2,
        load_percent=97,
        temperature_c=66,
        throttles=(),
    )
