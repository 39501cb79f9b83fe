"""CTranslate2 checkpoints turned into transformers' form, once each."""

import hashlib
import json
import mmap
import secrets
import shutil
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file
from tokenizers import Tokenizer

from engine.errors import BadCheckpoint
from engine.library import atomic
from engine.whisper import ct2
from engine.whisper.packaged import PackagedWeights
from engine.whisper.vocabulary import Vocabulary, read_tokenizer, tokenizer_of_words

_FORM = "2"
"""Of what is written here; a new one makes every checkpoint be converted anew."""
_ABANDONED_S = 3600
"""A half-made folder of this age belongs to a process that died."""
_DAMAGE = (ValueError, KeyError, IndexError, TypeError, struct.error, UnicodeDecodeError)


def of_package(found: PackagedWeights, folder: Path) -> Path:
    """The converted form of installed weights, under `folder`.

    Raises:
        BadCheckpoint: the installed files are not the ones that were published.
    """
    target = folder / f"{found.name}-{_short(_FORM, found.sha256)}"
    if target.is_dir():
        return target
    data = b"".join(part.read_bytes() for part in found.parts)
    if hashlib.sha256(data).hexdigest() != found.sha256:
        raise BadCheckpoint(
            f"The weights of {found.name} in {found.folder.parent} are damaged: "
            "install the package anew."
        )
    return _convert(data, found.folder, target)


def of_folder(source: Path, folder: Path) -> Path:
    """The converted form of a CTranslate2 folder, under `folder`.

    Raises:
        BadCheckpoint: damaged, or no Whisper.
    """
    model = source / "model.bin"
    facts = model.stat()
    print_ = _short(_FORM, str(model.resolve()), str(facts.st_size), str(facts.st_mtime_ns))
    target = folder / f"{source.name[:40]}-{print_}"
    if target.is_dir():
        return target
    if not facts.st_size:
        raise BadCheckpoint(f"{model} is empty.")
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _convert(bytes(data), source, target)


def _short(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _convert(data: bytes, source: Path, target: Path) -> Path:
    """Write into a folder of another name, then rename: all of it is there, or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    half_made = target.parent / f"{atomic.TEMPORARY_PREFIX}{secrets.token_hex(4)}"
    half_made.mkdir()
    try:
        _write(data, source, half_made)
        half_made.replace(target)
    except _DAMAGE as error:
        raise BadCheckpoint(f"The checkpoint in {source} is damaged: {error}") from error
    except OSError:
        if not target.is_dir():  # else another process was faster, and made the same
            raise
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
    return target


def _sweep(folder: Path) -> None:
    before = time.time() - _ABANDONED_S
    for half_made in folder.glob(f"{atomic.TEMPORARY_PREFIX}*"):
        if atomic.is_older(half_made, before):
            shutil.rmtree(half_made, ignore_errors=True)


def _write(data: bytes, source: Path, folder: Path) -> None:
    variables = ct2.read_variables(data)
    weights = dict(ct2.transformers_weights(variables))
    config = _config(variables)
    listed = _json(source / "config.json")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    _save(folder / "config.json", config)
    _save(
        folder / "generation_config.json",
        {
            "suppress_tokens": listed.get("suppress_ids", []),
            "begin_suppress_tokens": listed.get("suppress_ids_begin", []),
            "eos_token_id": config["eos_token_id"],
            "decoder_start_token_id": config["decoder_start_token_id"],
            "alignment_heads": listed.get("alignment_heads"),
        },
    )
    _save(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": config["num_mel_bins"],
            "hop_length": 160,
            "n_fft": 400,
            "sampling_rate": 16_000,
        },
    )
    _tokenizer(source).save(str(folder / "tokenizer.json"))


def _config(variables: dict[str, ct2.Array]) -> dict[str, Any]:
    size, width = variables["decoder/embeddings/weight"].shape
    vocabulary = Vocabulary.of_size(size)
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "vocab_size": size,
        "d_model": width,
        "num_mel_bins": variables["encoder/conv1/weight"].shape[1],
        "encoder_layers": _layers(variables, "encoder"),
        "decoder_layers": _layers(variables, "decoder"),
        "encoder_attention_heads": ct2.heads(variables, "encoder"),
        "decoder_attention_heads": ct2.heads(variables, "decoder"),
        "encoder_ffn_dim": variables["encoder/layer_0/ffn/linear_0/weight"].shape[0],
        "decoder_ffn_dim": variables["decoder/layer_0/ffn/linear_0/weight"].shape[0],
        "max_source_positions": variables["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": variables["decoder/position_encodings/encodings"].shape[0],
        "bos_token_id": vocabulary.end,
        "eos_token_id": vocabulary.end,
        "pad_token_id": vocabulary.end,
        "decoder_start_token_id": vocabulary.start,
        "tie_word_embeddings": True,
    }


def _layers(variables: dict[str, ct2.Array], side: str) -> int:
    start = f"{side}/layer_"
    found = {name.split("/")[1] for name in variables if name.startswith(start)}
    return len(found - {"layer_norm"})


def _tokenizer(source: Path) -> Tokenizer:
    file = source / "tokenizer.json"
    if file.is_file():
        return read_tokenizer(file)
    return tokenizer_of_words(_words(source))


def _words(source: Path) -> Sequence[str]:
    file = source / "vocabulary.json"
    if file.is_file():
        words = json.loads(file.read_text(encoding="utf-8"))
        return [str(word) for word in words]
    older = source / "vocabulary.txt"
    if older.is_file():
        return older.read_text(encoding="utf-8").split("\n")
    raise ValueError("neither tokenizer.json nor vocabulary.json nor vocabulary.txt is there")


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    values = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise TypeError(f"{file.name} is no object")
    return values


def _save(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
