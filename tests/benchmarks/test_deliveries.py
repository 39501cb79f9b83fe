"""The measurement of deliveries counts what is there, and each document is there once."""

import json
from pathlib import Path

import pytest

from benchmarks.deliveries import Row, main

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("uploaders", [1, 2])
def test_documents_arrive_once_in_spite_of_faults_and_kills(tmp_path: Path, uploaders: int) -> None:
    out = tmp_path / "deliveries.json"
    asked = ["--documents", "40", "--kills", "4", "--seeds", "7", "--uploaders", str(uploaders)]
    assert main([*asked, "--out", str(out)]) == 0
    [row] = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert row["documents"] == 40
    assert row["kills"] == 4
    assert row["uploads"] >= 44, "every tenth file is sent again with other words"
    assert sum(row["struck"].values()) > 20


def test_a_double_a_gap_and_old_words_are_no_success() -> None:
    fine = {"seed": 1, "uploaders": 1, "documents": 3, "uploads": 3, "requests": 9, "kills": 0}
    fine |= {"starts": 1, "wall_s": 1.0, "twice": 0, "missing": 0, "stale": 0}
    fine |= {"not_synced": 0, "foreign": 0}
    assert Row(**fine).is_exact
    for fault in ("twice", "missing", "stale", "not_synced", "foreign"):
        assert not Row(**fine | {fault: 1}).is_exact
