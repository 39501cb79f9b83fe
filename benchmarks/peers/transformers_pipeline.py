"""The pipeline of transformers, which cuts every 30 s."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer import Forms, Heard, Listener

_BEAM = 5
"""The pipeline's own default, whatever the checkpoint says."""


@dataclass(frozen=True)
class TransformersPipeline:
    """The pipeline, in bfloat16 where the processor has it; `beam` None is its default."""

    beam: int | None = None
    packages: tuple[str, ...] = ("transformers", "torch")

    @property
    def key(self) -> str:
        """Says the beam where it is not the default."""
        return "transformers-pipeline" + (f"-beam{self.beam}" if self.beam else "")

    @property
    def label(self) -> str:
        """Says the beam."""
        return f"transformers pipeline, beam {self.beam or _BEAM}"

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """`chunk_length_s` above 30 would silently lose sound."""
        return {
            "batch_size": 8,
            "chunk_length_s": 30,
            "return_timestamps": True,
            "num_beams": self.beam or _BEAM,
            "dtype": "bfloat16" if has_bfloat16() else "float32",
        }

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        """Load the model."""
        import torch
        from transformers import pipeline

        from benchmarks.peers.sound import samples

        torch.set_num_threads(threads)
        transcribe = pipeline(
            "automatic-speech-recognition",
            model=str(forms.transformers),
            dtype=torch.bfloat16 if has_bfloat16() else torch.float32,
            device="cpu",
        )
        chosen = {"num_beams": self.beam} if self.beam else {}

        def listen(media: Path) -> Heard:
            done = transcribe(
                samples(media),
                chunk_length_s=30,
                batch_size=8,
                return_timestamps=True,
                generate_kwargs=dict(chosen),
            )
            return Heard(done["text"].strip(), None)

        yield listen


def has_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16 by itself."""
    import torch

    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
