"""OpenAI's own package."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer import Forms, Heard, Listener


@dataclass(frozen=True)
class OpenAIWhisper:
    """openai-whisper as its Python interface has it: greedy, with fallback, in 32 bits."""

    key: str = "openai-whisper"
    label: str = "openai-whisper"
    packages: tuple[str, ...] = ("openai-whisper", "torch")

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """16 bits are for GPUs alone; on the CPU it would warn and do the same."""
        return {"fp16": False}

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        """Load the model."""
        import torch
        import whisper

        from benchmarks.peers.sound import samples

        torch.set_num_threads(threads)
        model = whisper.load_model(str(forms.openai), device="cpu")

        def listen(media: Path) -> Heard:
            done = model.transcribe(samples(media), fp16=False)
            return Heard(done["text"].strip(), done["language"])

        yield listen
