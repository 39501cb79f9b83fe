"""Windows of sound brought before the encoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.whisper.encoder import Memory
from engine.whisper.features import FRAMES, HOP_SAMPLES, log_mel

if TYPE_CHECKING:  # a network alone can listen too, without settings and files
    from engine.whisper.model import Model


def frames(sound: Samples, margin_s: float) -> int:
    """Frames that a window is given with so much silence behind it: even, at most 30 s."""
    wanted = len(sound) + int(margin_s * SAMPLE_RATE)
    return min(-(-wanted // (2 * HOP_SAMPLES)) * 2, FRAMES)


def hear(model: "Model", sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
    """Encode windows together, all as long as the longest; each memory has its own length."""
    lengths = [frames(sound, margin_s) for sound in sounds]
    mels = [log_mel(_sent(sound, model.device), model.filters, max(lengths)) for sound in sounds]
    memories = model.encoder(torch.stack(mels).to(model.dtype))
    return [m.first(length // 2) for m, length in zip(memories, lengths, strict=True)]


def _sent(sound: Samples, device: torch.device) -> Tensor:
    """The samples on the device, which need not have arrived there yet."""
    samples = torch.from_numpy(sound)
    if device.type == "cuda":  # cuda only
        samples = samples.pin_memory()  # from other memory the copy would not be asynchronous
    return samples.to(device, non_blocking=True)
