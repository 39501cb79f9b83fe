"""Whether torch's build suits the driver and the card, and what to do where it does not."""

import re
import sys
from dataclasses import dataclass
from typing import Any, Self

from engine.gpu.state import GpuState, Reading

Version = tuple[int, ...]

LEAST_DRIVERS: dict[int, dict[str, Version]] = {
    12: {"linux": (525, 60, 13), "win32": (528, 33)},
    13: {"linux": (580,), "win32": (580,)},
}
"""Oldest driver for any torch of a CUDA's major version: within it, drivers run newer minor
versions than their own. Source: docs.nvidia.com/deploy/cuda-compatibility, page Minor Version
Compatibility, and table 2 of the release notes of CUDA 12 (13 has no figure for Windows alone)."""

_DRIVERS = "https://www.nvidia.com/drivers"
_WHEELS = "https://download.pytorch.org/whl"


@dataclass(frozen=True)
class _Wheel:
    """A CUDA for which PyTorch publishes builds."""

    tag: str
    cuda_major: int
    capabilities: tuple[tuple[int, int], tuple[int, int]]
    """Oldest and newest compute capability that it has code for."""
    versions: tuple[Version, Version]
    """First and last torch, as far as ours may go."""


_WHEELS_OF_TORCH = (
    _Wheel("cu130", 13, ((7, 5), (12, 9)), ((2, 9), (2, 13))),
    _Wheel("cu128", 12, ((7, 5), (12, 9)), ((2, 8), (2, 11))),
    _Wheel("cu126", 12, ((5, 0), (9, 9)), ((2, 8), (2, 13))),
)
"""Best first. Source: the CUDA support matrix in PyTorch's RELEASE.md (2.8 to 2.13, x86)."""


@dataclass(frozen=True)
class TorchBuild:
    """What a torch was built for."""

    version: str
    cuda: str | None
    """`13.0`; None: for the CPU alone."""
    arches: tuple[str, ...] = ()
    """`sm_…` and `compute_…`; empty when torch does not reach the driver."""

    @classmethod
    def of(cls, torch: Any) -> Self:
        """The build of an imported torch."""
        return cls(torch.__version__, torch.version.cuda, tuple(torch.cuda.get_arch_list()))

    @property
    def release(self) -> str:
        """The version without what follows a plus sign."""
        return self.version.split("+")[0]


def problem(reading: Reading, torch: TorchBuild, platform: str = sys.platform) -> str | None:
    """One sentence on why torch cannot use the card, with the fix; None when it can.

    A machine with a CPU build of torch and no NVIDIA driver has no problem either.
    """
    card = reading.state
    if card is None:
        return _without_card(reading, torch, platform)
    if torch.cuda is None:
        return (
            f"torch {torch.version} is built for the CPU alone and leaves the {_name(card)} unused:"
            f" {_another_torch(card, torch, platform)}."
        )
    if not _serves(card, _version(torch.cuda)[0], platform):
        return _old_driver(card, torch, platform)
    if card.capability and torch.arches and not _has_code(card.capability, card, torch):
        return (
            f"torch {torch.version} has no code for the {_name(card)} (compute capability "
            f"{_dotted(card.capability)}): {_another_torch(card, torch, platform)}."
        )
    return None


def _without_card(reading: Reading, torch: TorchBuild, platform: str) -> str | None:
    if torch.cuda is None:
        return None
    if not reading.no_driver:
        return reading.why
    return (
        f"{reading.why} With a card: install {_least_driver(torch, platform)} from {_DRIVERS}; "
        "without one, the CPU is used."
    )


def _old_driver(card: GpuState, torch: TorchBuild, platform: str) -> str:
    driver = f"NVIDIA driver {card.driver_version or 'of unknown version'}"
    knows = f", which knows CUDA {_dotted(card.cuda_version)}," if card.cuda_version else ""
    fix = f"install {_least_driver(torch, platform)} from {_DRIVERS}"
    wheel = _wheel_for(card, torch, platform)
    if wheel is not None:
        fix += f", or {_pip(wheel, torch)}"
    return f"The {driver}{knows} is too old for torch's CUDA {torch.cuda}: {fix}."


def _serves(card: GpuState, cuda_major: int, platform: str) -> bool:
    """Whether the card's driver runs programs of this CUDA; what is not known is no objection."""
    if card.cuda_version is not None and card.cuda_version[0] < cuda_major:
        return False
    least = LEAST_DRIVERS.get(cuda_major, {}).get(platform)
    if least is None or not card.driver_version:
        return True
    return _version(card.driver_version) >= least


def _has_code(capability: Version, card: GpuState, torch: TorchBuild) -> bool:
    """Whether one of torch's architectures runs on the card, as CUDA's rules have it.

    Machine code (sm) serves its major version from its minor one on, with an `a` its own alone;
    what is compiled when loaded (compute) serves everything newer, if the driver is no older.
    """
    compiles = card.cuda_version is None or card.cuda_version >= _version(torch.cuda)
    for arch in torch.arches:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", arch)
        if found is None:
            return True  # a notation that came later: no objection
        own = (int(found[2]), int(found[3]))
        if found[4] == "a":
            serves = capability == own
        elif found[1] == "sm" or found[4] == "f":
            serves = capability[0] == own[0] and capability >= own
        else:
            serves = capability >= own and compiles
        if serves:
            return True
    return False


def _another_torch(card: GpuState, torch: TorchBuild, platform: str) -> str:
    wheel = _wheel_for(card, torch, platform)
    if wheel is not None:
        return _pip(wheel, torch)
    newest = _WHEELS_OF_TORCH[0]
    if not _serves(card, newest.cuda_major, platform):
        least = _dotted(LEAST_DRIVERS[newest.cuda_major].get(platform, (580,)))
        return f"install NVIDIA driver {least} or newer from {_DRIVERS}, then look here again"
    return "see https://pytorch.org/get-started/locally/ for a build that has"


def _wheel_for(card: GpuState, torch: TorchBuild, platform: str) -> _Wheel | None:
    """The best build of the same torch that driver and card can use."""
    release = _version(torch.release)[:2]
    for wheel in _WHEELS_OF_TORCH:
        first, last = wheel.versions
        oldest, newest = wheel.capabilities
        capable = card.capability is None or oldest <= card.capability <= newest
        if capable and first <= release <= last and _serves(card, wheel.cuda_major, platform):
            return wheel
    return None


def _pip(wheel: _Wheel, torch: TorchBuild) -> str:
    # The same version is no reason for pip to change anything: it must be forced.
    return f"pip install --force-reinstall torch=={torch.release} --index-url {_WHEELS}/{wheel.tag}"


def _least_driver(torch: TorchBuild, platform: str) -> str:
    least = LEAST_DRIVERS.get(_version(torch.cuda)[0], {}).get(platform)
    return f"NVIDIA driver {_dotted(least)} or newer" if least else "the newest NVIDIA driver"


def _name(card: GpuState) -> str:
    return card.name or "NVIDIA card"


def _version(text: str | None) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", text or "")) or (0,)


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
