"""faster-whisper: CTranslate2, batched or one window after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Forms, Heard, Listener


@dataclass(frozen=True)
class FasterWhisper:
    """faster-whisper with 8-bit weights; `beam` None is its default of 5."""

    batched: bool
    beam: int | None = None
    packages: tuple[str, ...] = ("faster-whisper", "ctranslate2", "onnxruntime", "av")

    @property
    def key(self) -> str:
        """Says the mode, and the beam where it is not the default."""
        mode = "batched" if self.batched else "sequential"
        return f"faster-whisper-{mode}" + (f"-beam{self.beam}" if self.beam else "")

    @property
    def label(self) -> str:
        """Says the same for people."""
        mode = "batched" if self.batched else "sequential"
        return f"faster-whisper {mode}, beam {self.beam or 5}"

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """Its defaults, written out, but for the kind of numbers and the beam."""
        mode = {"batch_size": 8, "vad_filter": True} if self.batched else {"vad_filter": False}
        return {"compute_type": "int8", "beam_size": self.beam or 5, **mode}

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        """Load the model."""
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        model: Any = WhisperModel(
            str(forms.ctranslate2), device="cpu", compute_type="int8", cpu_threads=threads
        )
        if self.batched:
            model = BatchedInferencePipeline(model)
        beam = {"beam_size": self.beam} if self.beam else {}

        def listen(media: Path) -> Heard:
            segments, about = model.transcribe(str(media), **beam)
            return Heard(" ".join(segment.text.strip() for segment in segments), about.language)

        yield listen
