"""This engine: a light client, and the model process that it starts."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer import Forms, Heard, Listener


@dataclass(frozen=True)
class Tonspur:
    """The engine as the pipeline calls it, at its default preset."""

    key: str = "tonspur"
    label: str = "Tonspur"
    packages: tuple[str, ...] = ("tonspur", "torch", "transformers", "silero-vad")

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """The preset, with the numbers behind its name."""
        from engine.whisper.presets import PRESETS

        preset = PRESETS["optimiert"]
        return {
            "preset": preset.name,
            "batch_windows": preset.batch_windows,
            "chunk_seconds": preset.chunk_seconds,
            "overlap_seconds": preset.overlap_seconds,
            "preparation_threads": preset.preparation_threads,
            "language": "auto",
        }

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        """Ready to start; the first recording starts the process and loads the model."""
        from engine.settings import load
        from engine.whisper.client import Engine
        from engine.whisper.messages import Wishes
        from engine.whisper.presets import PRESETS

        # It has no setting for threads: it takes the cores that the process may use.
        settings = load(state_dir=forms.state, whisper_model="base", whisper_device="cpu")
        preset = PRESETS["optimiert"]

        with Engine(settings) as engine:

            def listen(media: Path) -> Heard:
                with tempfile.TemporaryDirectory() as folder:
                    prepared = engine.prepare(media, Path(folder) / "prepared", preset)
                    done = engine.transcribe(prepared, preset, Wishes())
                return Heard(" ".join(segment.text for segment in done.segments), done.language)

            yield listen
