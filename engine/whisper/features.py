"""What the encoder hears: Whisper's log-mel spectrogram, as transformers computes it."""

import numpy as np
import torch
from transformers.audio_utils import mel_filter_bank

from engine.audio.samples import SAMPLE_RATE

FFT_SAMPLES = 400
HOP_SAMPLES = 160
"""100 frames a second; the encoder halves them to 50 positions."""
FRAMES = 3000
"""Of a full window: 30 s."""


def mel_filters(bins: int) -> torch.Tensor:
    """The filter bank, (`bins`, 201)."""
    filters = mel_filter_bank(
        num_frequency_bins=1 + FFT_SAMPLES // 2,
        num_mel_filters=bins,
        min_frequency=0.0,
        max_frequency=8000.0,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters.T.astype(np.float32)).contiguous()


def log_mel(samples: torch.Tensor, filters: torch.Tensor, frames: int = FRAMES) -> torch.Tensor:
    """The spectrogram of one window, (bins, `frames`).

    Samples beyond `frames` are cut off, missing ones are silence; the values equal the first
    `frames` of the spectrogram that transformers makes of the same samples.
    """
    wanted = frames * HOP_SAMPLES
    # Only a full window is mirrored at its end, a shorter one goes on in silence.
    length = wanted if frames == FRAMES else wanted + FFT_SAMPLES
    samples = samples[:wanted]
    samples = torch.nn.functional.pad(samples, (0, length - len(samples)))
    window = torch.hann_window(FFT_SAMPLES, device=samples.device)
    spectrum = torch.stft(samples, FFT_SAMPLES, HOP_SAMPLES, window=window, return_complex=True)
    power = spectrum[:, :frames].abs() ** 2
    log = (filters @ power).clamp(min=1e-10).log10()
    log = torch.maximum(log, log.max() - 8.0)
    return (log + 4.0) / 4.0
