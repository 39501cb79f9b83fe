"""How well a transcript matches the text that was spoken."""

import jiwer
from transformers.models.whisper.english_normalizer import (
    BasicTextNormalizer,
    EnglishTextNormalizer,
)


def word_error_rate(truth: str, heard: str, language: str) -> float:
    """Share of words that are wrong, after Whisper's own normalisation."""
    normal = EnglishTextNormalizer({}) if language == "en" else BasicTextNormalizer()
    return float(jiwer.wer(normal(truth), normal(heard)))
