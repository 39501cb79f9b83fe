import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from engine.audio.samples import Samples
from engine.whisper.features import FRAMES, log_mel, mel_filters


def theirs(samples: Samples, bins: int) -> torch.Tensor:
    extractor = WhisperFeatureExtractor(feature_size=bins)
    made = extractor(samples, sampling_rate=16_000, return_tensors="pt")
    return made.input_features[0]


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("seconds", [0.5, 8.0, 30.0, 31.0])
def test_a_full_window_equals_the_one_of_transformers(
    bins: int, seconds: float, speech: Samples
) -> None:
    samples = np.resize(speech, round(seconds * 16_000))
    ours = log_mel(torch.from_numpy(samples), mel_filters(bins))
    assert torch.allclose(ours, theirs(samples, bins), atol=2e-4)


def test_a_cut_window_equals_the_first_frames_of_a_full_one(speech: Samples) -> None:
    samples = torch.from_numpy(speech[: 5 * 16_000])
    filters = mel_filters(80)
    cut = log_mel(samples, filters, 600)
    assert cut.shape == (80, 600)
    assert torch.allclose(cut, log_mel(samples, filters, FRAMES)[:, :600], atol=1e-5)
