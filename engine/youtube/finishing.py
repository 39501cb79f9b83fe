"""What was fetched becomes a file of the library: whole, of the promised length, in its form."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import BadMedia, IncompleteDownload
from engine.library.atomic import replacing
from engine.settings import MediaFormat
from engine.youtube import forms, length, parts
from engine.youtube.length import Length
from engine.youtube.parts import Part

TOLERANCE_S = 2.0
"""How far the length may be from the promised one."""
_SUFFIXES = frozenset(
    ("m4a", "mp4", "mp3", "webm", "weba", "opus", "ogg", "oga", "aac", "flac", "wav", "mka", "mkv")
    + ("mov", "m4v", "3gp", "ts", "avi", "flv")
)


@dataclass(frozen=True)
class Download:
    """A finished file. `duration_s` is that of its sound, measured, in seconds."""

    path: Path
    size_bytes: int
    sha256: str
    duration_s: float
    yt_dlp_version: str
    format_id: str


@dataclass(frozen=True)
class Wanted:
    """What was asked for; `expected_s` is the length that the metadata promise, in seconds."""

    video_id: str
    folder: Path
    stem: str
    expected_s: float | None
    form: MediaFormat

    def target(self, info: dict[str, Any]) -> Path:
        """The finished file of a download that yt-dlp describes so."""
        form = forms.form_of(self.form)
        return self.folder / f"{self.stem}{form.suffix if form else suffix(info)}"

    def promised_s(self, info: dict[str, Any]) -> float | None:
        """The length to be had: that of the metadata, else yt-dlp's."""
        told = info.get("duration") if self.expected_s is None else self.expected_s
        return float(told) if isinstance(told, int | float) and told > 0 else None


def finished(fetched: Sequence[Part], wanted: Wanted) -> Download:
    """The file that the parts become. They are gone then, and also when they are of no use.

    Raises:
        IncompleteDownload: the length is off by more than 2 s.
        BadMedia: nothing can be made of them.
        DiskFull, MissingProgram, EngineDied: the parts stay for another try.
    """
    info = fetched[-1].info
    target, promised_s = wanted.target(info), wanted.promised_s(info)
    try:
        sound_s = _written([part.path for part in fetched], target, wanted, promised_s)
    except (IncompleteDownload, BadMedia):
        parts.remove(wanted.folder, wanted.video_id)
        raise
    parts.remove(wanted.folder, wanted.video_id)
    ids = [str(part.info.get("format_id") or "") for part in fetched]
    return _described(target, sound_s, "+".join(ids))


def finished_before(info: dict[str, Any], wanted: Wanted) -> Download | None:
    """The file of a call that was killed after its last step."""
    target, promised_s = wanted.target(info), wanted.promised_s(info)
    if promised_s is None or not target.is_file():
        return None
    found = length.measured(target)
    if found is None or _lacks(found, promised_s):
        return None
    return _described(target, found.sound_s, str(info.get("format_id") or ""))


def converted(media: Path, wanted: Wanted) -> Download:
    """The wanted form, made of media that are there; they stay.

    Raises:
        IncompleteDownload: the length is off by more than 2 s.
        DiskFull, MissingProgram, BadMedia, EngineDied: as ffmpeg failed.
    """
    target = wanted.target({"ext": media.suffix.lstrip(".")})
    return _described(target, _written([media], target, wanted, wanted.expected_s), "")


def suffix(info: dict[str, Any]) -> str:
    """The suffix of media that stay as they are."""
    told = str(info.get("ext") or "").lower()
    # A page may claim any suffix, `exe` too; what is no known container is kept as Matroska.
    return f".{told}" if told in _SUFFIXES else ".mka"


def _written(
    sources: Sequence[Path], target: Path, wanted: Wanted, promised_s: float | None
) -> float:
    """Writes the target, whole and of the promised length, or not at all; its sound's seconds."""
    found = _measured(sources[-1], wanted, promised_s)
    form = forms.form_of(wanted.form)
    with replacing(target) as draft:
        if form is None:
            _settle(sources[-1])
            sources[-1].replace(draft)
        else:
            forms.make(form, sources, draft)
            found = _measured(draft, wanted, promised_s)
            _settle(draft)
    return found.sound_s


def _measured(file: Path, wanted: Wanted, promised_s: float | None) -> Length:
    found = length.measured(file)
    lacking = "no media" if found is None else _lacks(found, promised_s)
    if found is None or lacking:
        raise IncompleteDownload(f"{wanted.video_id}: the download has {lacking}.")
    return found


def _lacks(found: Length, promised_s: float | None) -> str | None:
    """What is wrong with a length, as the end of a sentence."""
    if found.lost_s > TOLERANCE_S:
        return f"{found.lost_s:.1f} s of {found.sound_s:.1f} that cannot be heard"
    if not found.agrees(promised_s, TOLERANCE_S):
        return f"{found.sound_s:.1f} s instead of {promised_s:.1f} s"
    return None


def _settle(file: Path) -> None:
    """Its bytes are on the disk, so that no power cut leaves a name without them."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _described(path: Path, sound_s: float, format_id: str) -> Download:
    from yt_dlp.version import __version__

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    return Download(path, size, digest, sound_s, __version__, format_id)
