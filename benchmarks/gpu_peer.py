"""transformers with a forced number of tokens for every window: `generate`, and the pipeline."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import WhisperFeatureExtractor, WhisperTokenizer, pipeline

from engine.audio.samples import SAMPLE_RATE, Samples
from engine.whisper.vocabulary import Vocabulary


def _forced(tokens: int) -> dict[str, Any]:
    """Arguments of `generate`; its default of five beams would be another job than ours."""
    return {
        "language": "en",
        "task": "transcribe",
        "min_new_tokens": tokens,
        "max_new_tokens": tokens,
        "num_beams": 1,
        "do_sample": False,
    }


class Generate:
    """Features made on the device, then `generate`, batch by batch: the library at its best."""

    def __init__(self, whisper: Any, device: torch.device, tokens: int) -> None:
        self._whisper = whisper
        self._device = device
        self._tokens = tokens
        self._features = WhisperFeatureExtractor(feature_size=whisper.config.num_mel_bins)

    @torch.inference_mode()
    def write(self, sounds: Sequence[Samples], rows: int) -> list[list[int]]:
        """The new tokens of each window."""
        texts: list[list[int]] = []
        for first in range(0, len(sounds), rows):
            heard = self._features(
                list(sounds[first : first + rows]),
                sampling_rate=SAMPLE_RATE,
                return_tensors="pt",
                device=str(self._device),
            )
            spectra = heard.input_features.to(self._device, self._whisper.dtype)
            said = self._whisper.generate(spectra, **_forced(self._tokens))
            texts += [row[-self._tokens :] for row in said.tolist()]
        return texts


class Pipeline:
    """The pipeline, as most programs use it; its features are made on the processor."""

    def __init__(self, whisper: Any, device: torch.device, tokens: int) -> None:
        self._tokens = tokens
        self._pipeline = pipeline(
            "automatic-speech-recognition",
            model=whisper,
            tokenizer=_tokenizer(Vocabulary.of_size(whisper.config.vocab_size)),
            feature_extractor=WhisperFeatureExtractor(feature_size=whisper.config.num_mel_bins),
            device=device,
        )

    def write(self, sounds: Sequence[Samples], rows: int) -> list[str]:
        """The text of each window."""
        given = [{"raw": sound, "sampling_rate": SAMPLE_RATE} for sound in sounds]
        said = self._pipeline(given, batch_size=rows, generate_kwargs=_forced(self._tokens))
        return [str(one["text"]) for one in said]


def _tokenizer(vocabulary: Vocabulary) -> WhisperTokenizer:
    """One that turns ids into text; the words mean nothing, as the weights do."""
    special = {
        vocabulary.end: "<|endoftext|>",
        vocabulary.start: "<|startoftranscript|>",
        vocabulary.transcribe - 1: "<|translate|>",
        vocabulary.transcribe: "<|transcribe|>",
        vocabulary.no_speech - 1: "<|startofprev|>",
        vocabulary.no_speech: "<|nospeech|>",
        vocabulary.no_timestamps: "<|notimestamps|>",
        **{token: f"<|{code}|>" for code, token in vocabulary.languages.items()},
    }
    words = {special.get(token, f"w{token}"): token for token in range(vocabulary.size)}
    made = WhisperTokenizer(vocab=words, merges=[], pad_token=special[vocabulary.end])
    named = [special[token] for token in sorted(special)]
    made.add_special_tokens({"additional_special_tokens": named})
    return made
