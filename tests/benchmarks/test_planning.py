"""The measurement of planning counts what it says it counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def test_a_plan_costs_a_unit_for_fifty_listed_and_one_for_fifty_described(
    tmp_path: Path,
) -> None:
    out = tmp_path / "planning.json"
    program = [sys.executable, "-m", "benchmarks.planning", "--videos", "120", "--library", "120"]
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [*program, "--out", str(out)], cwd=repository, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    beside, known = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert (beside["where"], beside["planned"], beside["units"]) == ("beside", 120, 7)
    assert (known["where"], known["planned"], known["units"]) == ("known", 0, 4)
    assert beside["wall_s"] > beside["listing_s"] > 0
