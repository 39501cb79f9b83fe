"""The unfinished files of a video: one, or picture and sound apart; each can be resumed."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DiskFull

_SPARE_BYTES = 64 * 1024 * 1024
_BYTES_PER_S = 24_000
_PREFIX_LETTERS = 10


@dataclass(frozen=True)
class Part:
    """A file to be fetched, and what yt-dlp knows about it; the sound comes last."""

    path: Path
    info: dict[str, Any]

    @property
    def told_bytes(self) -> int | None:
        """The size that the page names."""
        told = self.info.get("filesize") or self.info.get("filesize_approx")
        return int(told) if told else None

    @property
    def bytes(self) -> int:
        """The size that the page names, else a guess by length and bit rate."""
        if self.told_bytes:
            return self.told_bytes
        rate = float(self.info.get("tbr") or 0) * 1000 / 8 or _BYTES_PER_S
        return int(rate * (self.info.get("duration") or 0))

    @property
    def there(self) -> int:
        """Bytes that are on the disk by now."""
        return sum(file.stat().st_size for file in self.path.parent.glob(f"{self.path.name}*"))


def of(info: dict[str, Any], folder: Path, video_id: str) -> tuple[Part, ...]:
    """The parts that yt-dlp chose."""
    apart = info.get("requested_formats")
    whole = {name: value for name, value in info.items() if name != "requested_formats"}
    infos = [whole | chosen for chosen in apart] if apart else [info]
    return tuple(Part(folder / _name(video_id, one), one) for one in infos)


def check_space(parts: Sequence[Part], more_bytes: int = 0) -> None:
    """Does nothing when the folder has room for what is missing, and for `more_bytes`.

    Raises:
        DiskFull: it has not.
    """
    folder = parts[0].path.parent
    missing = sum(max(0, part.bytes - part.there) for part in parts) + more_bytes
    free = shutil.disk_usage(folder).free
    if free < missing + _SPARE_BYTES:
        needed = (missing + _SPARE_BYTES) // 2**20
        raise DiskFull(
            f"{folder} has {free // 2**20} MB left, the video needs {needed} MB more: free some."
        )


def remove(folder: Path, video_id: str) -> None:
    """Removes a video's unfinished files, of formats that were tried before too."""
    for left in folder.glob(f"{_prefix(video_id)}*"):
        left.unlink(missing_ok=True)


def _name(video_id: str, info: dict[str, Any]) -> str:
    """The same for every try of one format: bytes of two formats must never be joined."""
    made_of = f"{info.get('format_id')}\n{info.get('ext')}\n{info.get('filesize')}"
    return f"{_prefix(video_id)}{_digest(made_of)[:4]}"


def _prefix(video_id: str) -> str:
    return f".~{_digest(video_id)}"[:_PREFIX_LETTERS]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
