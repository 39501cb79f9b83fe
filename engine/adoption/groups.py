"""Which old files belong together: media, sidecar and transcript of one name."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.library.local import MEDIA

_TEXT, _SIDECAR = ".txt", ".json"
_SEGMENTS = ".transcript.json"


@dataclass
class Group:
    """The files of one recording; `described` is what its sidecar says."""

    folder: Path
    stem: str
    first: Path
    media: list[Path] = field(default_factory=list)
    text: Path | None = None
    sidecar: Path | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    is_ours: bool = False
    """Tonspur made it: there is nothing to take over."""

    @property
    def path(self) -> Path:
        """The file that it is called after in reports."""
        return self.text or (self.media[0] if self.media else self.first)


def groups(folder: Path, *, without: Path | None = None) -> list[Group]:
    """Everything in a folder and its folders that looks like the predecessor's, by name.

    A transcript that lies apart from its media, as the predecessor often left it, is joined with
    them where exactly one recording has its name. Hidden folders, backups and the folder `without`
    are left alone.
    """
    every: dict[tuple[Path, str], Group] = {}
    for file in _files(folder, without):
        stem, kind = _parts(file)
        group = every.setdefault((file.parent, stem), Group(file.parent, stem, file))
        if kind == _TEXT:
            group.text = file
        elif kind == _SEGMENTS:
            group.is_ours = True
        elif kind == _SIDECAR:
            _describe(group, file)
        else:
            group.media.append(file)
    return _joined(sorted(every.values(), key=lambda one: (str(one.folder), one.stem)))


def _files(folder: Path, without: Path | None) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and here / name != without
        )
        for name in sorted(files):
            if not name.startswith(".") and _parts(Path(name))[1]:
                yield here / name


def _parts(file: Path) -> tuple[str, str]:
    """The stem, and the extension if it is one that counts."""
    lower = file.name.lower()
    for ending in (_SEGMENTS, _TEXT, _SIDECAR):
        if lower.endswith(ending):
            return file.name[: -len(ending)], ending
    suffix = file.suffix.lower()
    return file.stem, suffix if suffix in MEDIA else ""


def _describe(group: Group, file: Path) -> None:
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return
    if not isinstance(found, dict):
        return
    group.is_ours = group.is_ours or "steps" in found
    if "title" in found and "videoId" in found:
        group.sidecar, group.described = file, found


def _joined(every: list[Group]) -> list[Group]:
    recordings: dict[str, list[Group]] = defaultdict(list)
    for group in every:
        if group.media and not group.is_ours:
            recordings[group.stem.casefold()].append(group)
    left = []
    for group in every:
        home = recordings.get(group.stem.casefold(), [])
        apart = not group.media and not group.is_ours and len(home) == 1
        if apart and (group.text or group.sidecar) and _takes(home[0], group):
            continue
        if group.media or group.text:
            left.append(group)
    return left


def _takes(home: Group, apart: Group) -> bool:
    """Let the recording have what lies apart, unless it has its own."""
    if (apart.text and home.text) or (apart.sidecar and home.sidecar):
        return False
    home.text = home.text or apart.text
    if apart.sidecar:
        home.sidecar, home.described = apart.sidecar, apart.described
    return True
