"""The measurement of the pipeline runs and counts what it says it counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def test_a_warm_engine_loads_once_and_every_run_for_itself_without_it(tmp_path: Path) -> None:
    out = tmp_path / "pipeline.json"
    program = [sys.executable, "-m", "benchmarks.pipeline", "--videos", "2", "--only", "shorts"]
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [*program, "--out", str(out)], cwd=repository, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text(encoding="utf-8"))
    warm, per_run = result["rows"]
    assert (warm["loading"], warm["loads"]) == ("warm", 1)
    assert (per_run["loading"], per_run["loads"]) == ("per run", 2)
    assert 0 <= warm["idle_s"] < warm["ready_s"]
    assert warm["engine_s"] < warm["wall_s"]
    assert warm["media_s"] == per_run["media_s"] > 100
