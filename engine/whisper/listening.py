"""Windows of sound brought before the decoder: spectrogram and encoder, window by window."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from engine.audio.decoding import Aborted
from engine.audio.samples import SAMPLE_RATE, Samples
from engine.whisper.features import FRAMES, HOP_SAMPLES, log_mel
from engine.whisper.model import Model
from engine.whisper.network import Memory, State


def seconds(samples: Samples) -> float:
    """Length of a window."""
    return len(samples) / SAMPLE_RATE


def check(abort: Callable[[], bool]) -> None:
    """Stop the work if that was asked for.

    Raises:
        Aborted: `abort` said so.
    """
    if abort():
        raise Aborted("Transcription was stopped.")


@torch.inference_mode()
def listen(
    model: Model, windows: Sequence[Samples], margin_s: float, abort: Callable[[], bool]
) -> State:
    """Encode the windows, each by itself, into the state from which they are decoded as a batch.

    `margin_s` is the silence heard behind a window, as far as it fits into 30 s.

    Raises:
        Aborted: `abort` said so.
    """
    state = model.decoder.state([_frames(window, margin_s) // 2 for window in windows])

    @torch.inference_mode()  # the mode belongs to a thread
    def hear(row: int) -> None:
        check(abort)
        state.hear(row, _encode(model, windows[row], margin_s))

    rows = sorted(range(len(windows)), key=lambda row: -len(windows[row]))
    if model.device.type == "cuda":  # cuda only
        for row in rows:
            hear(row)
        return state
    # Windows side by side on a thread each keep the cores busier than one window on all of them.
    pool = ThreadPoolExecutor(torch.get_num_threads(), "encoder", torch.set_num_threads, (1,))
    with pool:
        for _ in pool.map(hear, rows):
            pass
    return state


def _encode(model: Model, samples: Samples, margin_s: float) -> Memory:
    sound = torch.from_numpy(samples).to(model.device)
    mel = log_mel(sound, model.filters, _frames(samples, margin_s))
    return model.encoder(mel.to(model.dtype))


def _frames(samples: Samples, margin_s: float) -> int:
    """Frames that a window is given: an even number, at most 30 s."""
    wanted = len(samples) + int(margin_s * SAMPLE_RATE)
    return min(-(-wanted // (2 * HOP_SAMPLES)) * 2, FRAMES)
