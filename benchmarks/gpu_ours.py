"""This engine's CUDA loop with a forced number of tokens for every window."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from benchmarks.gpu_network import Network, wall_s
from engine.audio.samples import Samples
from engine.gpu.exhaustion import out_of_memory
from engine.whisper.choosing import Chooser
from engine.whisper.cuda import CudaBackend
from engine.whisper.grammar import Allowed
from engine.whisper.graphs import Capture
from engine.whisper.vocabulary import TIMESTAMPS

TEXT = Allowed(text=True, end=False, first_time=TIMESTAMPS, last_time=-1)
"""Nothing but text may come: no window ends early."""


@dataclass
class Written:
    """What a run has made: tokens of windows in order, and the batches that it was tried with."""

    texts: list[list[int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    encoder_s: float = 0.0
    decoder_s: float = 0.0
    steps: int = 0


class Writer:
    """Encoder, batch and choice as the engine uses them; rows of a batch end together."""

    def __init__(self, network: Network, tokens: int, capture: Capture | None = None) -> None:
        """`capture` as for `CudaBackend`; each run begins without any recorded step."""
        self._network = network
        self._tokens = tokens
        self._capture = capture
        self._chooser = Chooser(network.vocabulary, (), network.device)
        words = network.vocabulary
        self._prompt = [*words.prompt("en"), words.no_timestamps]  # as transformers asks

    @torch.inference_mode()
    def write(self, sounds: Sequence[Samples], rows: int, written: Written) -> None:
        """Write what is left of these windows, `rows` at a time.

        Raises:
            torch.OutOfMemoryError: too many; what was written stays in `written`.
        """
        written.batches.append(rows)
        backend = CudaBackend(self._network, rows, self._capture)  # type: ignore[arg-type]
        batch = backend.batch()
        while len(written.texts) < len(sounds):
            first = len(written.texts)
            some = sounds[first : first + rows]

            def listen(some: Sequence[Samples] = some) -> None:
                for i in range(0, len(some), backend.together):
                    batch.add(backend.listen(some[i : i + backend.together], 0.0))

            texts: list[list[int]] = [[] for _ in some]

            def speak(texts: list[list[int]] = texts) -> None:
                for token in self._prompt[:-1]:
                    batch.write([token] * len(texts))
                last = [self._prompt[-1]] * len(texts)
                for _ in range(self._tokens):
                    chosen = self._chooser.likeliest(batch.write(last), [TEXT] * len(texts))
                    last = [choice.token for choice in chosen]
                    for text, token in zip(texts, last, strict=True):
                        text.append(token)

            written.encoder_s += wall_s(self._network.device, listen)
            written.decoder_s += wall_s(self._network.device, speak)
            written.steps += len(self._prompt) - 1 + self._tokens
            batch.keep([])
            written.texts += texts

    def write_somehow(self, sounds: Sequence[Samples], rows: int) -> Written:
        """The same; out of memory halves the batch, and the same window comes next."""
        written = Written()
        while True:
            try:
                self.write(sounds, rows, written)
            except Exception as error:
                if not out_of_memory(error) or rows == 1:
                    raise
                rows //= 2
            else:
                return written
            _collect()


def _collect() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
