"""Whisper's token ids, all derived from the size of the vocabulary, and text from tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models

_CODES = """
en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr
bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn
yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su
yue
"""
LANGUAGES = tuple(_CODES.split())
"""Language codes in the order of their tokens; the last came with large-v3."""

SECONDS_PER_TIMESTAMP = 0.02
TIMESTAMPS = 1501
"""0.00 to 30.00 s."""

_ENGLISH_ONLY_SIZE = 51_864
_MULTILINGUAL_SIZES = (51_865, 51_866)
_TOKENS_BESIDE_LANGUAGES = 51_765
_CONTROL_TOKENS = 6
"""translate, transcribe, start of LM, start of previous, no speech, no timestamps."""


@dataclass(frozen=True)
class Vocabulary:
    """The ids that mean something to the decoder.

    Ids below `end` are text; ids from `first_timestamp` on are times in steps of 20 ms.
    """

    size: int
    end: int
    start: int
    languages: dict[str, int]
    transcribe: int
    no_speech: int
    no_timestamps: int
    first_timestamp: int

    @classmethod
    def of_size(cls, size: int) -> "Vocabulary":
        """The layout that every Whisper checkpoint with this many tokens has.

        Raises:
            ValueError: no Whisper checkpoint has a vocabulary of this size.
        """
        if size != _ENGLISH_ONLY_SIZE and size not in _MULTILINGUAL_SIZES:
            raise ValueError(f"a vocabulary of {size} tokens is not Whisper's")
        multilingual = size in _MULTILINGUAL_SIZES
        count = size - _TOKENS_BESIDE_LANGUAGES - multilingual
        end = 50_257 if multilingual else 50_256
        translate = end + 2 + count
        named = LANGUAGES[:count] if multilingual else ()
        return cls(
            size=size,
            end=end,
            start=end + 1,
            languages={code: end + 2 + i for i, code in enumerate(named)},
            transcribe=translate + 1,
            no_speech=translate + 4,
            no_timestamps=translate + 5,
            first_timestamp=translate + _CONTROL_TOKENS,
        )

    @property
    def english_only(self) -> bool:
        """Whether the checkpoint has no language tokens that mean anything."""
        return not self.languages

    def prompt(self, language: str) -> list[int]:
        """The tokens that ask for a transcript with timestamps in this language."""
        if self.english_only:
            return [self.start]
        return [self.start, self.languages[language], self.transcribe]

    def is_text(self, token: int) -> bool:
        """Whether the token stands for bytes of text."""
        return token < self.end

    def seconds(self, token: int) -> float:
        """The time that a timestamp token names, in seconds from the window's start."""
        return (token - self.first_timestamp) * SECONDS_PER_TIMESTAMP


class TextDecoder:
    """Text of text tokens; knows nothing of special ones."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def of_folder(cls, folder: Path) -> "TextDecoder":
        """Read a checkpoint folder's tokenizer, in whichever form it lies there.

        Raises:
            OSError: there is none.
            ValueError: it is damaged.
        """
        file = folder / "tokenizer.json"
        if file.is_file():
            return cls(read_tokenizer(file))
        from transformers import WhisperTokenizerFast

        return cls(WhisperTokenizerFast.from_pretrained(folder).backend_tokenizer)

    def text(self, tokens: Sequence[int]) -> str:
        """The text of these tokens, as the model wrote it (with leading blank)."""
        if not tokens:
            return ""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=False))


def read_tokenizer(file: Path) -> Tokenizer:
    """A `tokenizer.json`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    text = file.read_text(encoding="utf-8")
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # the library has no class of its own for this
        raise ValueError(f"{file.name} is damaged: {error}") from error


def tokenizer_of_words(words: Sequence[str]) -> Tokenizer:
    """A tokenizer that can only turn ids into text, from the byte-level words in id order."""
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, []))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
