"""whisper.cpp, through pywhispercpp."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer import Forms, Heard, Listener


@dataclass(frozen=True)
class WhisperCpp:
    """whisper.cpp with 16-bit weights, greedy as its library is by default."""

    key: str = "whisper.cpp"
    label: str = "whisper.cpp f16"
    packages: tuple[str, ...] = ("pywhispercpp",)

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """It takes everything for English unless it is told to find out."""
        return {"weights": "f16", "language": "auto"}

    @contextmanager
    def load(self, forms: Forms, threads: int) -> Iterator[Listener]:
        """Load the model."""
        from pywhispercpp.model import Model

        from benchmarks.peers.sound import samples

        model = Model(
            str(forms.ggml),
            redirect_whispercpp_logs_to=None,
            n_threads=threads,
            language="auto",
            print_progress=False,
        )

        def listen(media: Path) -> Heard:
            segments = model.transcribe(samples(media))
            return Heard(" ".join(segment.text for segment in segments), None)

        yield listen
