"""Whisper at its real sizes with random weights, made on the device: no download, no checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSpeechSeq2Seq, GenerationConfig, WhisperConfig

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.gpu.memory import Footprint
from engine.whisper.decoder import Decoder
from engine.whisper.encoder import Encoder
from engine.whisper.features import mel_filters
from engine.whisper.linear import Linear
from engine.whisper.vocabulary import Vocabulary

WINDOW_S = 30
_LARGE = {
    "d_model": 1280,
    "encoder_layers": 32,
    "encoder_attention_heads": 20,
    "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "decoder_ffn_dim": 5120,
    "num_mel_bins": 128,
}
_TINY = {
    "d_model": 128,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 256,
    "decoder_ffn_dim": 256,
    "num_mel_bins": 80,
}
SIZES = {
    "large-v3": {**_LARGE, "decoder_layers": 32},
    "turbo": {**_LARGE, "decoder_layers": 4},
    "tiny": {**_TINY, "decoder_layers": 2},
}
"""As in the checkpoints' config.json; `tiny` is smaller than any, to try the program itself."""


@dataclass(frozen=True)
class Network:
    """What this engine needs of a model, without a checkpoint's files."""

    device: torch.device
    dtype: torch.dtype
    vocabulary: Vocabulary
    filters: torch.Tensor
    encoder: Encoder
    decoder: Decoder


def config_of(name: str) -> WhisperConfig:
    """The sizes of a model; its tokens are those of large-v3."""
    vocabulary = Vocabulary.of_size(51_866)
    return WhisperConfig(
        vocab_size=vocabulary.size,
        decoder_start_token_id=vocabulary.start,
        bos_token_id=vocabulary.end,
        eos_token_id=vocabulary.end,
        pad_token_id=vocabulary.end,
        **SIZES[name],
    )


def made(name: str, device: torch.device) -> Any:
    """A model of the library with random weights, in half precision on CUDA."""
    torch.manual_seed(0)
    with torch.device(device):
        whisper = AutoModelForSpeechSeq2Seq.from_config(config_of(name), dtype=dtype_on(device))
    whisper.generation_config = _generation(Vocabulary.of_size(whisper.config.vocab_size))
    return whisper.to(device).eval().requires_grad_(False)


def network_of(whisper: Any, device: torch.device) -> Network:
    """This engine's form of the same weights."""
    return Network(
        device=device,
        dtype=dtype_on(device),
        vocabulary=Vocabulary.of_size(whisper.config.vocab_size),
        filters=mel_filters(whisper.config.num_mel_bins).to(device),
        encoder=Encoder(whisper.model, Linear),
        decoder=Decoder(whisper.model, Linear),
    )


def footprint_of(name: str, device: torch.device) -> Footprint:
    """What it takes of the device, computed."""
    return Footprint(config_of(name), dtype_on(device).itemsize)


def dtype_on(device: torch.device) -> torch.dtype:
    """In what is computed."""
    return torch.float16 if device.type == "cuda" else torch.float32


def windows(count: int) -> list[Samples]:
    """Full windows of noise: random weights hear nothing else in speech."""
    drawn = np.random.default_rng(0)
    length = WINDOW_S * SAMPLE_RATE
    return [drawn.normal(0, 0.1, length).astype(np.float32) for _ in range(count)]


def wall_s(device: torch.device, work: Callable[[], object]) -> float:
    """How long some work takes, until the device is done with it."""
    settle(device)
    before = perf_counter()
    work()
    settle(device)
    return perf_counter() - before


def settle(device: torch.device) -> None:
    """Wait until the device has nothing to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _generation(vocabulary: Vocabulary) -> GenerationConfig:
    """One text token after the other: nothing else may come, as in this engine's run."""
    return GenerationConfig(
        decoder_start_token_id=vocabulary.start,
        bos_token_id=vocabulary.end,
        eos_token_id=vocabulary.end,
        pad_token_id=vocabulary.end,
        is_multilingual=True,
        lang_to_id={f"<|{code}|>": token for code, token in vocabulary.languages.items()},
        task_to_id={"transcribe": vocabulary.transcribe, "translate": vocabulary.transcribe - 1},
        no_timestamps_token_id=vocabulary.no_timestamps,
        prev_sot_token_id=vocabulary.no_speech - 1,
        suppress_tokens=list(range(vocabulary.end + 1, vocabulary.size)),
        max_length=448,
    )
