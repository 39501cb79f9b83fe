"""A checkpoint in memory, ready to listen and to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import GenerationConfig, WhisperForConditionalGeneration
from transformers.utils.logging import disable_progress_bar

from engine.errors import BadCheckpoint
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.features import mel_filters
from engine.whisper.network import Decoder, Encoder
from engine.whisper.vocabulary import TextDecoder, Vocabulary

_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)
"""What transformers, safetensors and tokenizers raise for a folder that is not a whole Whisper."""


@dataclass(frozen=True)
class Model:
    """Whisper on one device; nothing in it changes while it works."""

    name: str
    device: torch.device
    dtype: torch.dtype
    vocabulary: Vocabulary
    text: TextDecoder
    suppressed: tuple[int, ...]
    filters: Tensor
    encoder: Encoder
    decoder: Decoder

    @property
    def dtype_name(self) -> str:
        """`bfloat16`, `float16` or `float32`."""
        return str(self.dtype).removeprefix("torch.")


def best_dtype(device: torch.device) -> torch.dtype:
    """float16 on CUDA; on the CPU bfloat16 where it computes in it, else float32."""
    if device.type == "cuda":  # cuda only
        return torch.float16
    able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if able else torch.float32


def load(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype | None = None) -> Model:
    """Load a checkpoint onto a device.

    Raises:
        BadCheckpoint: the folder is damaged, or no Whisper.
    """
    dtype = dtype or best_dtype(device)
    disable_progress_bar()  # nobody watches standard error
    try:
        whisper = WhisperForConditionalGeneration.from_pretrained(
            checkpoint.folder, dtype=dtype, local_files_only=True
        )
        vocabulary = Vocabulary.of_size(whisper.config.vocab_size)
        text = TextDecoder.of_folder(checkpoint.folder)
        generation = GenerationConfig.from_pretrained(checkpoint.folder, local_files_only=True)
        whisper = whisper.to(device).eval().requires_grad_(False)
        return Model(
            name=checkpoint.name,
            device=device,
            dtype=dtype,
            vocabulary=vocabulary,
            text=text,
            suppressed=_suppressed(generation.suppress_tokens or (), vocabulary),
            filters=mel_filters(whisper.config.num_mel_bins).to(device),
            encoder=Encoder(whisper.model),
            decoder=Decoder(whisper.model),
        )
    except torch.OutOfMemoryError:  # cuda only
        raise
    except _DAMAGE as error:
        raise BadCheckpoint(f"{checkpoint.folder} cannot be loaded: {error}") from error


def _suppressed(listed: Iterable[Any], vocabulary: Vocabulary) -> tuple[int, ...]:
    return tuple(token for token in listed if 0 <= token < vocabulary.end)
