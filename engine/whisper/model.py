"""A checkpoint in memory, ready to listen and to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import GenerationConfig, WhisperForConditionalGeneration
from transformers.utils.logging import disable_progress_bar

from engine.errors import BadCheckpoint
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.decoder import Decoder
from engine.whisper.encoder import Encoder
from engine.whisper.features import mel_filters
from engine.whisper.linear import Compute, Linear, can_round
from engine.whisper.vocabulary import TextDecoder, Vocabulary

_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)
"""What transformers, safetensors and tokenizers raise for a folder that is not a whole Whisper."""


@dataclass(frozen=True)
class Model:
    """Whisper on one device; nothing in it changes while it works."""

    name: str
    device: torch.device
    compute: Compute
    dtype: torch.dtype
    vocabulary: Vocabulary
    text: TextDecoder
    suppressed: tuple[int, ...]
    alignment_heads: tuple[tuple[int, int], ...]
    """Layer and number of those that look at the word that comes next."""
    filters: Tensor
    encoder: Encoder
    decoder: Decoder


def best_compute(device: torch.device) -> Compute:
    """float16 on CUDA; on the CPU what it is fastest in."""
    if device.type == "cuda":  # cuda only
        return "float16"
    if can_round():
        return "int8"
    return "bfloat16" if _has_bfloat16() else "float32"


def dtype_of(compute: Compute) -> torch.dtype:
    """What the numbers between the matrices are kept in."""
    if compute == "int8":
        return torch.bfloat16 if _has_bfloat16() else torch.float32
    dtype: torch.dtype = getattr(torch, compute)
    return dtype


def _has_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def load(checkpoint: Checkpoint, device: torch.device, compute: Compute | None = None) -> Model:
    """Load a checkpoint onto a device.

    Raises:
        BadCheckpoint: the folder is damaged, or no Whisper.
    """
    compute = compute or best_compute(device)
    dtype, linear = dtype_of(compute), partial(Linear, int8=compute == "int8")
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
            compute=compute,
            dtype=dtype,
            vocabulary=vocabulary,
            text=text,
            suppressed=_suppressed(generation.suppress_tokens or (), vocabulary),
            alignment_heads=_alignment_heads(generation, whisper.config),
            filters=mel_filters(whisper.config.num_mel_bins).to(device),
            encoder=Encoder(whisper.model, linear),
            decoder=Decoder(whisper.model, linear),
        )
    except torch.OutOfMemoryError:  # cuda only
        raise
    except _DAMAGE as error:
        raise BadCheckpoint(f"{checkpoint.folder} cannot be loaded: {error}") from error


def _suppressed(listed: Iterable[Any], vocabulary: Vocabulary) -> tuple[int, ...]:
    return tuple(token for token in listed if 0 <= token < vocabulary.end)


def _alignment_heads(generation: Any, config: Any) -> tuple[tuple[int, int], ...]:
    """Those that the checkpoint names; else all of the upper half, as OpenAI's program does."""
    layers, heads = config.decoder_layers, config.decoder_attention_heads
    upper = [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
    named = getattr(generation, "alignment_heads", None) or upper
    return tuple((int(layer), int(head)) for layer, head in named)
