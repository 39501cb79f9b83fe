"""What one folder holds, read in one go: which videos have a sidecar, and which names are taken."""

import os
from collections.abc import Iterator
from pathlib import Path

from engine.library import names
from engine.video import Video

_SIDECAR = ".json"
_WRITTEN = (_SIDECAR, ".txt", ".srt", ".vtt")


class Listing:
    """The names of a folder at one moment; what is placed later has to be added."""

    def __init__(self, folder: Path) -> None:
        self.stems: dict[str, str] = {}
        """Video id to the stem of its sidecar."""
        self._taken: set[str] = set()
        self._marks: set[str] = set()
        for name in _names_in(folder):
            if name.endswith(_WRITTEN):
                self._taken.add(name.casefold())
            if (stem := _stem(name)) and (video_id := names.id_of(stem)):
                self._note(stem, video_id)

    def free_stem(self, video: Video) -> str:
        """A stem for a new video that collides with nothing, also where letter case is folded."""
        suffix = 0
        while True:
            stem = names.stem(video.published_at, video.title, video.video_id, suffix)
            files = {f"{stem}{extension}".casefold() for extension in _WRITTEN}
            if names.mark_of(stem).casefold() not in self._marks and not files & self._taken:
                return stem
            suffix += 1

    def add(self, stem: str, video_id: str) -> None:
        """The sidecar of a video is there now, or will be."""
        self._taken.add(f"{stem}{_SIDECAR}".casefold())
        self._note(stem, video_id)

    def _note(self, stem: str, video_id: str) -> None:
        self.stems[video_id] = min(stem, self.stems.get(video_id, stem))
        self._marks.add(names.mark_of(stem).casefold())


def stem_of(folder: Path, video_id: str) -> str | None:
    """The stem of one video's sidecar in a folder; quicker than a whole listing."""
    ending = f"_{video_id}"
    found = (
        stem
        for name in _names_in(folder)
        if ending in name and (stem := _stem(name)) and names.id_of(stem) == video_id
    )
    return min(found, default=None)


def _names_in(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            for item in found:
                yield item.name
    except (FileNotFoundError, NotADirectoryError):
        return


def _stem(name: str) -> str | None:
    """The stem of what may be a sidecar."""
    if name.startswith(".") or not name.endswith(_SIDECAR):
        return None
    return name[: -len(_SIDECAR)]
