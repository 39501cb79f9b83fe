"""Environment variables of a model process: those that help, and those that harm."""

import platform as machine
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ALLOCATOR_NAMES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
"""Both name torch's allocator settings. The second is the newer, and torch 2.9 ignores
`expandable_segments` in it (https://github.com/pytorch/pytorch/issues/183387): we set the first."""

_GROWING = "expandable_segments:True"
"""Blocks that grow leave no gaps between batches of different sizes. Linux only: on Windows torch
warns and ignores it (until https://github.com/pytorch/pytorch/pull/189163, July 2026), and drivers
for WSL before R615 fail on it (https://github.com/pytorch/pytorch/issues/192330)."""
_COLLECTED = "garbage_collection_threshold:0.8"
"""In its place: cached blocks are given back from 80 % of the cap of `allocator.hold_below_cap` on.
The original set-up's max_split_size_mb is left out, torch calls it a last resort."""

_EVERYWHERE = {
    "TOKENIZERS_PARALLELISM": "false",  # single texts gain nothing, and its threads are warned of
    "CUDA_MODULE_LOADING": "LAZY",  # kernels are loaded when used; the default since CUDA 12.3
}


def helpful(
    environ: Mapping[str, str], platform: str = sys.platform, kernel: str = machine.release()
) -> dict[str, str]:
    """Variables to add for a model process, before it imports torch; none that the user has set."""
    added = {name: value for name, value in _EVERYWHERE.items() if name not in environ}
    if not any(name in environ for name in ALLOCATOR_NAMES):
        grows = platform == "linux" and "microsoft" not in kernel.lower()  # WSL's names itself so
        added[ALLOCATOR_NAMES[0]] = _GROWING if grows else _COLLECTED
    return added


@dataclass(frozen=True)
class _Harm:
    """A variable that harms with values that `when` accepts; `says` what to do."""

    name: str
    when: Callable[[str], bool]
    says: str


def _on(value: str) -> bool:
    return value.strip() not in {"", "0"}


_HARMS = (
    _Harm("CUDA_LAUNCH_BLOCKING", _on, "makes Python wait for the GPU at every step"),
    _Harm("PYTORCH_NO_CUDA_MEMORY_CACHING", _on, "asks the driver for every piece of memory anew"),
    _Harm("NVIDIA_TF32_OVERRIDE", lambda value: value.strip() == "0", "switches TF32 off"),
)


def complaints(environ: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for every variable that makes a model process slow."""
    return tuple(
        f"{harm.name}={environ[harm.name]} {harm.says}: unset it, it is for finding faults."
        for harm in _HARMS
        if harm.name in environ and harm.when(environ[harm.name])
    )
