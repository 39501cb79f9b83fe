"""Whisper's weights under the names that OpenAI gave them; whisper.cpp took them over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]

_ENDS = {
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
}
_PARTS = {
    "encoder": {"conv1": "conv1", "conv2": "conv2", "layer_norm": "ln_post"},
    "decoder": {"layer_norm": "ln"},
}
_LAYER_PARTS = {
    "self_attn_layer_norm": "attn_ln",
    "self_attn": "attn",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "encoder_attn": "cross_attn",
    "final_layer_norm": "mlp_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
}
_PROJECTIONS = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}


@dataclass(frozen=True)
class Dims:
    """The sizes of a checkpoint, in the order in which whisper.cpp stores them."""

    n_vocab: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int
    n_mels: int

    @classmethod
    def of_config(cls, config: dict[str, Any]) -> "Dims":
        """Read from transformers' `config.json`."""
        return cls(
            n_vocab=config["vocab_size"],
            n_audio_ctx=config["max_source_positions"],
            n_audio_state=config["d_model"],
            n_audio_head=config["encoder_attention_heads"],
            n_audio_layer=config["encoder_layers"],
            n_text_ctx=config["max_target_positions"],
            n_text_state=config["d_model"],
            n_text_head=config["decoder_attention_heads"],
            n_text_layer=config["decoder_layers"],
            n_mels=config["num_mel_bins"],
        )


def renamed(weights: dict[str, Array]) -> dict[str, Array]:
    """All of transformers' weights under OpenAI's names, in the same order.

    Raises:
        ValueError: a weight that Whisper does not have.
    """
    return {_name(name): values for name, values in weights.items()}


def _name(name: str) -> str:
    rest = name.removeprefix("model.")
    if rest in _ENDS:
        return _ENDS[rest]
    side, _, part = rest.partition(".")
    words = part.split(".")
    try:
        if words[0] != "layers":
            return ".".join([side, _PARTS[side][words[0]], *words[1:]])
        inner = [_PROJECTIONS.get(word, word) for word in words[3:]]
        return ".".join([side, "blocks", words[1], _LAYER_PARTS[words[2]], *inner])
    except (KeyError, IndexError) as error:
        raise ValueError(f"Whisper has no weight {name!r}") from error
