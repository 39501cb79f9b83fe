from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.search.passages import LENGTH_S, Line, lines_of, passages

LENGTHS = st.lists(st.floats(min_value=0.02, max_value=40), min_size=1, max_size=60)


@given(LENGTHS)
def test_every_line_is_in_one_passage_and_begins_it_where_it_says(lengths: list[float]) -> None:
    lines, at = [], 0.0
    for number, length in enumerate(lengths):
        lines.append(Line(at, at + length, f"w{number}"))
        at += length
    found = passages(lines)
    assert [one.start_s for one in found] == sorted({one.start_s for one in found})
    owners = [
        sum(one.start_s <= line.start_s and line.end_s <= one.end_s for one in found)
        for line in lines
    ]
    assert owners == [1] * len(lines)
    longest = max(lengths)
    assert all(one.end_s - one.start_s < LENGTH_S + longest + 1e-6 for one in found)


@given(LENGTHS)
def test_two_neighbouring_lines_are_together_in_some_passage(lengths: list[float]) -> None:
    lines = [Line(n, n + length, f"w{n}x") for n, length in enumerate(lengths)]
    texts = [f" {one.text} " for one in passages(lines)]
    for first, second in zip(lines, lines[1:], strict=False):
        assert any(f" {first.text} {second.text} " in text for text in texts)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"segments": 3}', '{"segments": [1, {"start": "x"}, {"text": "a"}]}', "null"],
)
def test_what_is_no_transcript_has_no_lines(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.transcript.json"
    file.write_text(content, encoding="utf-8")
    assert lines_of(file) == []
    assert lines_of(tmp_path / "gone") == []
