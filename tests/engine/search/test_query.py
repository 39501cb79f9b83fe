import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.search.query import BadQuery, parsed, words


def matches(text: str, said: str) -> bool:
    """What FTS5 itself makes of a query."""
    with sqlite3.connect(":memory:") as store:
        store.execute("CREATE VIRTUAL TABLE said USING fts5 (words)")
        store.execute("INSERT INTO said VALUES (?)", (" ".join(words(said)),))
        found = store.execute("SELECT 1 FROM said WHERE said MATCH ?", (parsed(text).match,))
        return found.fetchone() is not None


@pytest.mark.parametrize(
    ("text", "said", "found"),
    [
        ("harbour quiet", "The harbour was quiet", True),
        ("harbour loud", "The harbour was quiet", False),
        ('"was quiet"', "The harbour was quiet", True),
        ('"quiet was"', "The harbour was quiet", False),
        ("harb*", "The harbour was quiet", True),
        ("harb", "The harbour was quiet", False),
        ("HARBOUR", "the harbour", True),
        ("muller", "Herr Müller", True),
        ("Müller", "Herr Muller", True),
        ("strasse", "Die Straße", True),
        ("NOT", "do not go", True),
        ("a OR b", "a or b", True),
        ("near(a b)", "near a b", True),
        ("well-known", "a well known man", True),
        ("it's", "it's fine", True),
        ("3.5", "3.5 litres", True),
        ("日本", "これは日本語です", True),
        ("本日", "これは日本語です", False),
        ("語", "これは日本語です", True),
        ("ไทย", "ภาษาไทย", True),
        ('"unclosed phrase', "an unclosed phrase here", True),
        ("harbour 🚢", "the harbour", True),
    ],
)
def test_a_query_means_what_people_type(text: str, said: str, found: bool) -> None:
    assert matches(text, said) is found


@pytest.mark.parametrize("text", ["", "   ", "!?", '""', "*", "🚢", '"-"'])
def test_without_a_word_there_is_nothing_to_search_for(text: str) -> None:
    with pytest.raises(BadQuery):
        parsed(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_question(text: str) -> None:
    try:
        matches(text, "something")
    except BadQuery:
        assert not words(text)


@given(st.text(max_size=60).filter(words))
def test_what_is_typed_as_it_was_said_is_found(said: str) -> None:
    assert matches(said.replace('"', " ").replace("*", " "), said)
