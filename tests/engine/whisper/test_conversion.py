import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import BadCheckpoint
from engine.settings import Settings
from engine.whisper import conversion, packaged
from engine.whisper.checkpoints import Checkpoint, resolve
from engine.whisper.model import load
from engine.whisper.packaged import PackagedWeights


@pytest.fixture
def installed() -> PackagedWeights:
    found = packaged.find("base")
    if found is None:
        pytest.skip("the weights of the extra `demo` are not installed")
    return found


@pytest.fixture
def faster_whisper(installed: PackagedWeights, tmp_path: Path) -> Path:
    """A faster-whisper folder with a list of words in place of a tokenizer."""
    folder = tmp_path / "faster-base"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"".join(p.read_bytes() for p in installed.parts))
    for name in ("config.json", "vocabulary.json"):
        shutil.copy(installed.folder / name, folder / name)
    return folder


def test_a_checkpoint_is_converted_once(
    base: Checkpoint, real_settings: Settings, installed: PackagedWeights
) -> None:
    written = (base.folder / "model.safetensors").stat().st_mtime_ns
    again = conversion.of_package(installed, real_settings.checkpoints_dir)
    assert again == base.folder
    assert (again / "model.safetensors").stat().st_mtime_ns == written


def test_two_at_once_make_the_same(installed: PackagedWeights, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: conversion.of_package(installed, tmp_path / "c"), range(2)))
    assert made[0] == made[1]
    assert [path.name for path in (tmp_path / "c").iterdir()] == [made[0].name]


def test_a_folder_gives_the_same_weights_as_the_package(
    base: Checkpoint, faster_whisper: Path, real_settings: Settings
) -> None:
    settings = real_settings.model_copy(update={"state_dir": faster_whisper.parent / "s"})
    found = resolve(str(faster_whisper), settings, "cpu")
    assert (found.name, found.english_only) == ("faster-base", False)
    theirs, ours = (load_file(c.folder / "model.safetensors") for c in (base, found))
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    loaded = load(found, torch.device("cpu"))
    assert loaded.text.text([1485, 534]) == load(base, torch.device("cpu")).text.text([1485, 534])


def test_older_folders_have_their_words_in_a_text_file(faster_whisper: Path) -> None:
    words = json.loads((faster_whisper / "vocabulary.json").read_text(encoding="utf-8"))
    (faster_whisper / "vocabulary.json").unlink()
    (faster_whisper / "vocabulary.txt").write_text("\n".join(words), encoding="utf-8")
    folder = conversion.of_folder(faster_whisper, faster_whisper.parent / "c")
    assert (folder / "tokenizer.json").is_file()


def test_installed_weights_must_be_the_published_ones(
    installed: PackagedWeights, tmp_path: Path
) -> None:
    with pytest.raises(BadCheckpoint, match="install the package anew"):
        conversion.of_package(replace(installed, sha256="0" * 64), tmp_path)


def _no_words(folder: Path) -> None:
    (folder / "vocabulary.json").unlink()


def _cut(folder: Path) -> None:
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(1_000_000)


def _empty(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"")


def _odd_configuration(folder: Path) -> None:
    (folder / "config.json").write_text("[]", encoding="utf-8")


@pytest.mark.parametrize("damage", [_no_words, _cut, _empty, _odd_configuration])
def test_a_damaged_folder_leaves_nothing_behind(faster_whisper: Path, damage: object) -> None:
    assert callable(damage)
    damage(faster_whisper)
    target = faster_whisper.parent / "c"
    with pytest.raises(BadCheckpoint, match="faster-base"):
        conversion.of_folder(faster_whisper, target)
    assert not target.exists() or not list(target.iterdir())


def test_what_a_dead_process_left_is_swept(faster_whisper: Path) -> None:
    target = faster_whisper.parent / "c"
    for name, age_s in ((".~00000000", 7200), (".~11111111", 0)):
        (target / name).mkdir(parents=True)
        then = (target / name).stat().st_mtime - age_s
        os.utime(target / name, (then, then))
    made = conversion.of_folder(faster_whisper, target)
    assert {path.name for path in target.iterdir()} == {made.name, ".~11111111"}


def test_what_another_process_has_just_taken_away_is_no_hindrance(
    faster_whisper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = faster_whisper.parent / "c"
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter([folder / ".~22222222"]))
    assert conversion.of_folder(faster_whisper, target).is_dir()
