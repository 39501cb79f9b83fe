"""Where somebody speaks: Silero's voice detector, on a whole recording at once instead of 32 ms.

The convolutions of all frames are one operation each, and the recurrent layer runs over thousands
of frames in one call; the state goes from block to block, so memory does not grow with the length.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.audio.windows import Span
from engine.errors import MissingProgram

FRAME_SAMPLES = 512
"""Samples that share one probability: 32 ms."""

_CONTEXT_SAMPLES = 64
_HOP_SAMPLES = 128
_SPECTRUM_ROWS = 129
_STRIDES = (1, 2, 2, 1)
_BLOCK_FRAMES = 1024  # 33 s: large enough to be fast, 10 MB of activations

_SPEECH_FROM = 0.4  # lower than Silero's 0.5: a second of noise costs less than a lost word
_SHORTEST_SPEECH_MS = 100
_SHORTEST_PAUSE_MS = 100


_State = tuple[Tensor, Tensor]


class _Detector:
    """Silero's 16 kHz network, taken from the weights of its TorchScript file."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self._basis = weights["stft.forward_basis_buffer"]
        names = [f"encoder.{layer}.reparam_conv" for layer in range(len(_STRIDES))]
        self._layers = [(weights[f"{n}.weight"], weights[f"{n}.bias"]) for n in names]
        self._memory = torch.nn.LSTM(128, 128)
        own = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self._memory.load_state_dict({f"{n}_l0": weights[f"decoder.rnn.{n}"] for n in own})
        self._last = (
            weights["decoder.decoder.2.weight"][:, :, 0],
            weights["decoder.decoder.2.bias"],
        )

    def heard(self, frames: Tensor) -> Tensor:
        """What is heard in each of these frames (each with its context before it) by itself."""
        with torch.inference_mode():
            padded = functional.pad(frames, (0, _CONTEXT_SAMPLES), mode="reflect")[:, None]
            spectrum = functional.conv1d(padded, self._basis, stride=_HOP_SAMPLES)
            real, imaginary = spectrum[:, :_SPECTRUM_ROWS], spectrum[:, _SPECTRUM_ROWS:]
            hidden = (real.square() + imaginary.square()).sqrt()
            for (weight, bias), stride in zip(self._layers, _STRIDES, strict=True):
                hidden = functional.conv1d(hidden, weight, bias, stride=stride, padding=1).relu()
            return hidden.transpose(1, 2)

    def judged(self, heard: Tensor, state: _State | None) -> tuple[Samples, _State]:
        """Probabilities of frames after what came before them, and the state after them."""
        with torch.inference_mode():
            known, state = self._memory(heard, state)
            chances = torch.sigmoid(functional.linear(known.relu(), *self._last)).flatten()
            return chances.numpy(), state


def speech_probabilities(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Probability of speech of every 512 samples, in the order of `blocks` of any length.

    The blocks are consecutive samples at 16 kHz, full scale 1.0; the last frame is filled with
    zeros. Equal to Silero's own result, frame by frame.

    Raises:
        MissingProgram: silero-vad is not installed as expected.
    """
    detector = _detector()
    state: _State | None = None
    # While one core goes through a block in order, another hears the next: frames are heard alone.
    with ThreadPoolExecutor(1, "hearing", torch.set_num_threads, (1,)) as beside:
        coming: Future[Tensor] | None = None
        for frames in _with_context(blocks):
            block, coming = coming, beside.submit(detector.heard, frames)
            if block is not None:
                probabilities, state = detector.judged(block.result(), state)
                yield probabilities
        if coming is not None:
            probabilities, state = detector.judged(coming.result(), state)
            yield probabilities


def _with_context(blocks: Iterable[Samples]) -> Iterator[Tensor]:
    """Frames of 512 samples with the 64 before each, many at a time."""
    context = np.zeros(_CONTEXT_SAMPLES, np.float32)
    for whole in _in_frames(blocks, _BLOCK_FRAMES * FRAME_SAMPLES):
        joined = torch.from_numpy(np.concatenate([context, whole]))
        yield joined.unfold(0, FRAME_SAMPLES + _CONTEXT_SAMPLES, FRAME_SAMPLES)
        context = whole[-_CONTEXT_SAMPLES:]


def find_speech(
    blocks: Iterable[Samples],
    samples: int,
    *,
    abort: Callable[[], None] = lambda: None,
) -> list[Span]:
    """Stretches in which somebody speaks, in `samples` samples at 16 kHz that come in blocks.

    Pauses from 0.1 s on part two of them. `abort` is called before every minute and may raise.

    Raises:
        MissingProgram: silero-vad is not installed as expected.
    """
    # The steps are too small to share: two threads took three times as long on a busy machine.
    # Importing the package sets the number to 1 as well; leaving this block undoes that.
    with _one_torch_thread():
        from silero_vad.utils_vad import get_speech_timestamps_from_probs

        found = get_speech_timestamps_from_probs(
            _one_by_one(speech_probabilities(blocks), abort),
            sampling_rate=SAMPLE_RATE,
            threshold=_SPEECH_FROM,
            min_speech_duration_ms=_SHORTEST_SPEECH_MS,
            min_silence_duration_ms=_SHORTEST_PAUSE_MS,
            speech_pad_ms=0,
            audio_length_samples=samples,
        )
    return [Span(span["start"] / SAMPLE_RATE, span["end"] / SAMPLE_RATE) for span in found]


def _one_by_one(parts: Iterable[Samples], abort: Callable[[], None]) -> Iterator[float]:
    def checked() -> Iterator[list[float]]:
        for part in parts:
            abort()
            yield part.tolist()

    return chain.from_iterable(checked())


def _in_frames(blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
    """The same samples in blocks of `length`, the last one filled up to whole frames."""
    kept: list[Samples] = []
    held = 0
    for block in blocks:
        kept.append(block)
        held += len(block)
        if held >= length:
            joined = np.concatenate(kept)
            whole = held - held % length
            yield from np.split(joined[:whole], whole // length)
            kept, held = [joined[whole:]], held - whole
    if held:
        yield np.pad(np.concatenate(kept), (0, -held % FRAME_SAMPLES))


@cache
def _detector() -> _Detector:
    package = find_spec("silero_vad")  # found without running it: see find_speech
    places = package.submodule_search_locations if package else None
    file = Path(next(iter(places))) / "data" / "silero_vad.jit" if places else None
    if file is None or not file.is_file():
        raise MissingProgram("silero-vad's weights are missing: install Tonspur again.")
    state = torch.jit.load(file, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    prefix = "_model."
    return _Detector({n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)})


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
