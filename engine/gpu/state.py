"""How the card is at one moment."""

from dataclasses import dataclass

_THROTTLES = (
    (0x004, "power limit"),
    (0x008, "hardware slowdown"),
    (0x010, "slowest card of a group"),
    (0x020, "heat"),
    (0x040, "heat, stopped by the hardware"),
    (0x080, "power supply"),
    (0x200, "voltage limit"),
    (0x400, "reliability"),
)
"""NVML's bits nvmlClocksEventReason… and …ThrottleReason… (pynvml 13.615). Idling and clocks that
somebody set are left out: nothing holds the card back there."""


@dataclass(frozen=True)
class GpuState:
    """One NVIDIA card as NVML sees it; None where this card or driver does not tell."""

    name: str | None
    uuid: str | None
    """`GPU-…`: the same card in NVML, torch and nvidia-smi, whatever the index."""
    capability: tuple[int, int] | None
    """Compute capability: (8, 9) is an RTX 4090."""
    driver_version: str | None
    cuda_version: tuple[int, int] | None
    """The newest CUDA that the driver knows."""
    used_bytes: int | None
    """By all programs together."""
    total_bytes: int | None
    load_percent: int | None
    temperature_c: int | None
    throttles: tuple[str, ...] | None
    """What slows the clocks down at the moment; empty when nothing does."""


@dataclass(frozen=True)
class Reading:
    """Either the state of the card, or a sentence that says why there is none."""

    state: GpuState | None
    why: str | None = None
    no_driver: bool = False
    """NVML finds no NVIDIA driver: normal on a machine without such a card."""


def throttle_words(bits: int) -> tuple[str, ...]:
    """What NVML's bit mask of throttle reasons says, in words."""
    return tuple(words for bit, words in _THROTTLES if bits & bit)


def cuda_version(number: int) -> tuple[int, int]:
    """Major and minor of the number by which driver and NVML name a CUDA: 12040 is 12.4."""
    return number // 1000, number % 1000 // 10
