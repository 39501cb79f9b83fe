"""The measurement of searches measures what it says."""

import json
from pathlib import Path

import pytest

from benchmarks.search import QUESTIONS, main

pytestmark = pytest.mark.e2e


def test_every_question_is_asked_and_finds_what_was_put_there(tmp_path: Path) -> None:
    out = tmp_path / "search.json"
    assert main(["--transcripts", "40", "--rounds", "1", "--out", str(out)]) == 0
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["transcripts"] == 40
    hits = {row["question"]: row["hits"] for row in result["rows"]}
    assert hits.keys() == QUESTIONS.keys()
    assert hits["a phrase"] >= 1
    assert hits["the commonest word"] == 10
    assert hits["no hit"] == 0
    assert set(result["after_changes_s"]) == {"1", "100"}
