import json
from pathlib import Path

import pytest

from benchmarks import asr
from benchmarks.peers.result import Result
from benchmarks.peers.roster import ROSTER, missing
from engine.whisper import packaged
from sandbox.voice import speak

TALK = (
    "The old bridge crosses the river near the market square. Every morning the baker carries "
    "fresh bread over it. Last winter the water rose so high that the bridge had to be closed. "
    "The people of the town built a small ferry from planks and barrels. "
    "It took them eleven days, and it carried two hundred passengers in a single week. "
    "When spring came, the river went back to its bed. "
    "The ferry still lies behind the mill, and children play on it after school."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    speak(TALK, "en", folder / "bridge.mp3")
    described = {"file": "bridge.mp3", "language": "en", "reference": TALK}
    (folder / "bridge.json").write_text(json.dumps([described]), encoding="utf-8")
    return folder


def test_only_recordings_that_were_named_are_heard(folder: Path) -> None:
    (task,) = asr.tasks_of(folder, ["bridge.mp3"])
    assert 20 < task.recording.duration_s < 45
    assert task.recording.words == len(TALK.split())
    assert asr.tasks_of(folder, ["other.mp3"]) == []
    with pytest.raises(SystemExit, match="no such recording"):
        asr.main([str(folder), "--only", "other.mp3"])


def test_something_to_do_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        asr.main([])
    assert ended.value.code == 2
    assert "FOLDER" in capsys.readouterr().err


@pytest.mark.e2e
def test_every_peer_that_is_installed_hears_nearly_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if packaged.find("base") is None:
        pytest.skip("the weights of the extra `demo` are not installed")
    out, picture = tmp_path / "asr.json", tmp_path / "asr.svg"
    asked = [str(folder), "--out", str(out), "--svg", str(picture)]
    status = asr.main([*asked, "--cache", str(tmp_path / "cache")])
    assert status == 0, capsys.readouterr().err
    result = Result.model_validate_json(out.read_bytes())
    absent = {peer.key for peer in ROSTER if missing(peer)}
    assert {row.peer for row in result.rows} == {peer.key for peer in ROSTER} - absent
    assert {item.subject for item in result.unmeasured} == absent | {"CUDA"}
    assert {row.peer: row.word_error_rate for row in result.rows if row.word_error_rate > 0.1} == {}
    assert all(200 < row.peak_mb < 4000 for row in result.rows)
    assert all(run.language in ("en", None) for run in result.runs)
    table = capsys.readouterr().out
    assert asr.main(["--draw", str(out), "--svg", str(tmp_path / "again.svg")]) == 0
    assert capsys.readouterr().out == table
    assert (tmp_path / "again.svg").read_bytes() == picture.read_bytes()
