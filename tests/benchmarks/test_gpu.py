import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, gpu_floor, gpu_network

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


def test_without_a_gpu_it_says_that_nothing_was_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--out", str(tmp_path / "none.json")]) == 2
    assert "nothing was measured" in capsys.readouterr().err
    assert not (tmp_path / "none.json").exists()
    assert gpu.main(["--device", "cpu"]) == 2
    assert "--tiny" in capsys.readouterr().err


def test_it_runs_without_numba() -> None:
    program = "import sys; sys.modules['numba'] = None; import benchmarks.gpu"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
def test_everything_runs_on_a_processor_with_a_tiny_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gpu.json"
    asked = ["--device", "cpu", "--tiny", "--windows", "3", "--batches", "2", "--tokens", "6"]
    assert gpu.main([*asked, "--rounds", "1", "--out", str(out)]) == 0
    result = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == result
    assert "no figure of a GPU" in result["device"]
    (model,) = result["models"]
    (batch,) = model["batches"]
    assert batch["unmeasured"] == {}
    assert set(batch["median_s"]) == {
        "tonspur",
        "tonspur without graphs",
        "transformers generate",
        "transformers pipeline",
    }
    assert batch["times_the_floor"] > 0
    assert set(batch["attention_bytes_per_s"]) == {"fused", "products"}
    peak, full = model["memory"]
    assert "unmeasured" in peak
    assert full["batches_tried"] == [4, 2]
    assert full["complete"]
    assert full["first_windows_as_in_a_small_batch"]


def test_both_write_the_same_tokens() -> None:
    whisper = gpu_network.made("tiny", CPU)
    sounds = gpu_network.windows(2)
    ours = gpu.Writer(gpu_network.network_of(whisper, CPU), 5).write_somehow(sounds, 2).texts
    theirs = gpu.Generate(whisper, CPU, 5).write(sounds, 2)
    assert ours == theirs
    assert [len(text) for text in ours] == [5, 5]


def test_the_floor_is_that_of_the_notes_for_one_card() -> None:
    # An hour in 120 windows of 120 tokens, batch 16, on 165 TFLOPS and 1,008 GB/s: about 7 s.
    card = gpu_floor.Rates(copy_bytes_per_s=1.008e12, products_per_s=165e12)
    seconds = gpu_floor.floor_s("large-v3", torch.device("cuda"), card, [16] * 7 + [8], 120)
    assert 6.5 < seconds < 8
