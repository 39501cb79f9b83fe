"""What every peer can do, and where it finds its weights."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Heard:
    """What a peer wrote down; `language` is None where it does not tell."""

    text: str
    language: str | None


Listener = Callable[[Path], Heard]
"""From a media file to its last segment, with a model that is loaded already."""


@dataclass(frozen=True)
class Forms:
    """The folder that holds one checkpoint in every form, and a few seconds of speech."""

    folder: Path

    @property
    def transformers(self) -> Path:
        """A folder as the hub has them."""
        return self.folder / "transformers"

    @property
    def ctranslate2(self) -> Path:
        """A folder as faster-whisper wants it."""
        return self.folder / "ctranslate2"

    @property
    def openai(self) -> Path:
        """A file of OpenAI's own package."""
        return self.folder / "base.pt"

    @property
    def ggml(self) -> Path:
        """A file of whisper.cpp."""
        return self.folder / "ggml-base.bin"

    @property
    def state(self) -> Path:
        """The `STATE_DIR` in which this engine has converted the weights."""
        return self.folder / "state"

    @property
    def warm_up(self) -> Path:
        """Speech that is in no recording."""
        return self.folder / "warm-up.wav"


class Peer(Protocol):
    """One row of the table: a program with its parameters."""

    @property
    def key(self) -> str:
        """Its name in results and on the command line."""

    @property
    def label(self) -> str:
        """Its name for people."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions whose versions matter; without all of them it cannot run."""

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """What it was told; all else is its default."""

    def load(self, forms: Forms, threads: int) -> AbstractContextManager[Listener]:
        """Load the model, to be run in `threads` threads; what was started ends with the block."""
