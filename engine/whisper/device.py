"""The device that Whisper works on: which one, what keeps it from being used, and its limits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import psutil
import torch

from engine.errors import BadSettings
from engine.gpu import allocator
from engine.gpu.cooling import Cooling
from engine.gpu.driver import TorchBuild, problem
from engine.gpu.memory import Room
from engine.gpu.tuning import tune
from engine.gpu.watch import Watch
from engine.settings import Settings
from engine.whisper.linear import Compute
from engine.whisper.model import best_compute

NO_CUDA = "There is no CUDA device: the CPU was used."
NO_MEMORY = "The model does not fit into the CUDA device's memory: the CPU was used."
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Choice:
    """A device, and what to say where it is not the one that was wished for."""

    device: torch.device
    note: str | None = None


def choose(settings: Settings) -> Choice:
    """The device of the settings; the CPU where CUDA is not to be had."""
    wanted = settings.whisper_device
    if wanted == "cpu":
        return Choice(_CPU)
    with Watch() as watch:
        why = problem(watch.read(), TorchBuild.of(torch))
    if torch.cuda.is_available() and why is None:  # cuda only
        tune(torch)
        allocator.hold_below_cap(torch, torch.device("cuda"))
        return Choice(torch.device("cuda"))
    if wanted == "cuda":
        return Choice(_CPU, f"{NO_CUDA} {why}" if why else NO_CUDA)
    # A card that lies idle is worth a word; a machine without one is not.
    return Choice(_CPU, why if why and _card_is_there() else None)


def compute_on(device: torch.device, settings: Settings) -> Compute:
    """What the settings want to be computed in on this device, or what it is fastest in.

    Raises:
        BadSettings: the device has nothing to compute that in.
    """
    wanted = settings.whisper_compute
    if wanted == "auto":
        return best_compute(device)
    impossible = "float16" if device.type == "cpu" else "int8"
    if wanted == impossible:
        raise BadSettings(f"WHISPER_COMPUTE: {wanted} is not for {device.type}; use auto.")
    return wanted


def room(device: torch.device) -> Room:
    """What the device has left for a batch."""
    if device.type == "cuda":  # cuda only
        return allocator.room(torch, device)
    memory = psutil.virtual_memory()
    return Room(memory.total, memory.available, memory.total - memory.available)


def forget_peak(device: torch.device) -> None:
    """Begin a new measurement for `peak_mb`."""
    if device.type == "cuda":  # cuda only
        allocator.forget_peak(torch, device)


def peak_mb(device: torch.device) -> float | None:
    """The most of a card's memory that was held since `forget_peak`, in MB; None on the CPU."""
    if device.type != "cuda":
        return None
    return round(allocator.peak_bytes(torch, device) / 1e6, 1)  # cuda only


def rest_on(
    device: torch.device, settings: Settings, abort: Callable[[], bool]
) -> Callable[[], object]:
    """What is called between batches: it waits while the card is too hot."""
    if device.type != "cuda":
        return lambda: None
    cooling = Cooling(settings.whisper_max_temperature_c, _watch().read)  # cuda only
    return lambda: cooling.rest(abort)  # cuda only


@cache
def _watch() -> Watch:  # cuda only
    return Watch()


def _card_is_there() -> bool:
    with Watch() as watch:
        return watch.read().state is not None
