"""What is typed, as a question to FTS5, and how words are told apart."""

import re
import unicodedata
from dataclasses import dataclass

from engine.errors import BadSettings

# scripts that put no blanks between words: each letter counts as a word, each word as a phrase
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"
)
_LETTER = re.compile(f"([{_UNSPACED}])")
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')


class BadQuery(BadSettings):
    """Nothing in it can be searched for."""


@dataclass(frozen=True)
class Query:
    """`match` is FTS5's; `terms` are the words and phrases in their plain form, to find them again.

    A term that ends in `*` stands for every word that begins so.
    """

    match: str
    terms: tuple[str, ...]


def parsed(text: str) -> Query:
    """Words that a passage must all hold; “a phrase” in double quotes; `begin*`; the rest literal.

    Raises:
        BadQuery: it holds neither letter nor digit.
    """
    match, terms = [], []
    for found in _PART.finditer(text):
        phrase, word = found.groups()
        given = phrase if word is None else word
        is_beginning = word is not None and word.endswith("*")
        plain = " ".join(words(given))
        if plain:
            match.append(f'"{plain}"' + ("*" if is_beginning else ""))
            terms.append(plain + ("*" if is_beginning else ""))
    if not match:
        raise BadQuery("There is no word to search for: type letters or digits.")
    return Query(" ".join(match), tuple(terms))


def words(text: str) -> list[str]:
    """The words of a text as the index has them: small letters, no accents, no punctuation."""
    parted = unicodedata.normalize("NFKD", spaced(text).casefold())
    bare = "".join(c for c in parted if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in bare).split()


def spaced(text: str) -> str:
    """The text with blanks around every letter of scripts that have none."""
    return _LETTER.sub(r" \1 ", text)
