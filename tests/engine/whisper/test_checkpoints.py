import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.errors import BadCheckpoint, UnknownModel
from engine.settings import Settings
from engine.whisper import checkpoints, packaged
from engine.whisper.checkpoints import HUB_IDS, Checkpoint, check_name, default_name, resolve
from engine.whisper.model import load


@pytest.mark.parametrize("name", [*HUB_IDS, "owner/some-whisper", "."])
def test_names_that_may_be_meant(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["larg-v3", "", "a/b/c", "../models", "/no/such/folder"])
def test_nonsense_is_refused_at_once_with_the_names_that_exist(name: str) -> None:
    with pytest.raises(UnknownModel, match=r"large-v3, large-v2, turbo.*owner/name"):
        check_name(name)


def test_looking_at_a_name_needs_no_torch() -> None:
    code = (
        "import sys; from engine.whisper.checkpoints import check_name; check_name('turbo');"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    repository = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=repository).returncode == 0


def test_every_published_size_has_a_name() -> None:
    assert {"large-v3", "large-v2", "turbo", "medium", "small", "base", "tiny"} <= set(HUB_IDS)
    assert len([name for name in HUB_IDS if name.startswith("distil-")]) == 5


def test_the_default_goes_by_the_device() -> None:
    assert (default_name("cuda"), default_name("cpu")) == ("large-v3", "base")


def test_installed_weights_are_found_without_the_hub(base: Checkpoint) -> None:
    assert base.name == "base"
    assert not base.english_only


def test_only_base_is_installed() -> None:
    assert packaged.find("small") is None


def test_packages_that_are_missing_are_no_error() -> None:
    assert packaged._data("no_such_package_of_weights") is None


@pytest.mark.parametrize("name", ["small", "owner/some-whisper"])
def test_a_hub_that_cannot_be_asked_is_said(name: str, settings: Settings) -> None:
    with pytest.raises(UnknownModel, match=r"hub cannot be asked.*Known are large-v3.*demo"):
        resolve(name, settings, "cpu")


def test_an_english_folder_is_known_as_such(english_folder: Path, settings: Settings) -> None:
    found = resolve(str(english_folder), settings, "cpu")
    assert found == Checkpoint("tiny.en", english_folder, english_only=True)
    assert load(found, torch.device("cpu")).vocabulary.english_only


def test_a_complete_checkpoint_in_the_cache_is_taken(
    english_folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = _in_cache(english_folder, settings, monkeypatch)
    assert resolve("openai/whisper-tiny.en", settings, "cpu").folder == cached
    assert resolve("tiny.en", settings, "cpu").name == "tiny.en"


def test_half_a_checkpoint_in_the_cache_is_not(
    english_folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = _in_cache(english_folder, settings, monkeypatch)
    (cached / "model.safetensors").unlink()
    assert checkpoints._cached("openai/whisper-tiny.en") is None


def _in_cache(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay a checkpoint where the hub's client keeps what it has fetched."""
    hub = settings.state_dir / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    revision = "0" * 40
    kept = hub / "models--openai--whisper-tiny.en"
    snapshot = kept / "snapshots" / revision
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(revision, encoding="utf-8")
    return snapshot


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "config.json is missing"),
        ("{", "missing or damaged"),
        ("{}", "missing or damaged"),
        (json.dumps({"model_type": "bert", "vocab_size": 5}), "kind bert"),
    ],
)
def test_a_folder_without_whisper_is_refused(
    config: str | None, said: str, tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if config is not None:
        (folder / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=said):
        resolve(str(folder), settings, "cpu")


def test_weights_that_are_cut_off_are_refused(
    english_folder: Path, tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    for file in english_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(BadCheckpoint, match="cannot be loaded"):
        load(resolve(str(folder), settings, "cpu"), torch.device("cpu"))
