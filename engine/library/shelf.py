"""The library: finds, places and changes what belongs to a video."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.library import atomic, locks
from engine.library.listing import Listing, stem_of
from engine.library.places import ChannelCard, ChannelFolders, Places, card_of
from engine.library.sidecar import Sidecar, StepName, StepRecord, StepStatus, now
from engine.settings import Settings
from engine.video import Video

_SOUND = (".m4a", ".mp3", ".opus", ".ogg", ".oga", ".weba", ".aac", ".flac", ".wav", ".mka")
_PICTURES = (".mp4", ".webm", ".mkv", ".mov", ".m4v", ".3gp", ".ts", ".avi", ".flv")
MEDIA_EXTENSIONS = _SOUND + _PICTURES
LOCAL_FOLDER = "Local files"
FAILED_FOLDER = ".failed"


@dataclass(frozen=True)
class Entry:
    """The place of one video: a folder and a stem that all its files share."""

    folder: Path
    stem: str
    video_id: str

    def file(self, extension: str) -> Path:
        """The file of this video with an extension such as `.srt`."""
        return self.folder / f"{self.stem}{extension}"

    @property
    def sidecar(self) -> Path:
        """Metadata and the record of every step."""
        return self.file(".json")

    @property
    def text(self) -> Path:
        """The transcript that people and ODIN AI read."""
        return self.file(".txt")

    @property
    def transcript(self) -> Path:
        """The segments."""
        return self.file(".transcript.json")


class Library:
    """Everything that lives under LIBRARY_DIR; safe to use from many processes of one machine."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.library_dir
        self._locks = settings.locks_dir

    def entries(self) -> Iterator[Entry]:
        """Every video that has a sidecar, channel by channel, oldest first."""
        for folder in self._folders():
            yield from self.entries_of(folder)

    def entries_of(self, folder: Path) -> Iterator[Entry]:
        """Every video with a sidecar in one channel's folder, oldest first."""
        stems = Listing(folder).stems
        for video_id in sorted(stems, key=stems.__getitem__):
            yield Entry(folder, stems[video_id], video_id)

    def find(self, video_id: str, folder: Path | None = None) -> Entry | None:
        """Where the video is, in one folder or anywhere in the library."""
        for place in [folder] if folder else self._folders():
            if stem := stem_of(place, video_id):
                return Entry(place, stem, video_id)
        return None

    def place(self, video: Video, folder: Path | None = None) -> Entry:
        """Where the video is or shall be; its sidecar is written, steps that are known stay."""
        return self.place_all([video], folder)[0]

    def place_all(self, videos: Iterable[Video], folder: Path | None = None) -> list[Entry]:
        """The same for many videos, with one look at the library."""
        placed = []
        with locks.held(self._locks, "place", str(folder or self.root)):
            places = Places([folder] if folder else self._folders(), self._channel_folders())
            for video in videos:
                known = places.known(video.video_id)
                place, stem = known or places.free(video, folder)
                entry = Entry(place, stem, video.video_id)
                if known is None:
                    if folder is None:
                        self.keep_card(place, card_of(video))
                    Sidecar(video=video).write(entry.sidecar)
                placed.append((entry, video if known else None))
        for entry, again in placed:
            if again is not None:
                self.change(entry, _described_by(again))
        return [entry for entry, _ in placed]

    def expected(self, videos: Iterable[Video]) -> list[Entry]:
        """Where videos that are not in the library would be placed, one after the other."""
        places = Places([], self._channel_folders())
        return [Entry(*places.free(video), video.video_id) for video in videos]

    def read(self, entry: Entry) -> Sidecar:
        """The sidecar of a video that was placed."""
        found = Sidecar.read(entry.sidecar)
        if found is None:
            raise FileNotFoundError(entry.sidecar)
        return found

    def change(self, entry: Entry, edit: Callable[[Sidecar], Sidecar]) -> Sidecar:
        """Read, edit and write the sidecar under the video's lock: the one way to change it."""
        with locks.held(self._locks, "sidecar", str(entry.sidecar)):
            changed = edit(self.read(entry))
            changed.write(entry.sidecar)
        return changed

    def record(self, entry: Entry, step: StepName, record: StepRecord) -> Sidecar:
        """Write down what a step did."""
        return self.change(entry, lambda old: old.with_step(step, record))

    def ended(self, video_id: str, folder: Path | None = None) -> None:
        """Count one more run that came to an end, in the sidecar or where its failure is kept."""
        entry = self.find(video_id, folder)
        if entry:
            self.change(entry, _counted)
        elif (file := self._failure(video_id)).is_file():
            content = json.loads(file.read_text(encoding="utf-8"))
            _write_json(file, {**content, "attempts": _attempts_in(file) + 1})

    @contextmanager
    def way(
        self, video_id: str, folder: Path | None = None, timeout_s: float = 600
    ) -> Iterator[None]:
        """Hold the whole way of one video: no two runs work on the same one.

        What a run that was killed left half-written is removed.

        Raises:
            Busy: another run held it for `timeout_s`.
        """
        with locks.held(self._locks, "way", video_id, timeout_s):
            if entry := self.find(video_id, folder):
                with locks.held(self._locks, "sidecar", str(entry.sidecar)):
                    atomic.sweep(entry.folder, video_id)
            yield

    def channel(self, folder: Path) -> ChannelCard | None:
        """The card of a channel's folder."""
        try:
            return ChannelCard.model_validate_json((folder / "channel.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def keep_card(self, folder: Path, card: ChannelCard) -> None:
        """Write a folder's card, or what an older one does not say yet."""
        before = self.channel(folder) or ChannelCard(title=card.title)
        merged = ChannelCard(
            channel_id=before.channel_id or card.channel_id,
            handle=card.handle or before.handle,
            title=before.title,
            known_as=tuple(dict.fromkeys(before.known_as + card.known_as)),
        )
        if merged != before:
            _write_json(folder / "channel.json", merged.model_dump(mode="json", by_alias=True))

    def channels(self) -> Iterator[tuple[Path, ChannelCard]]:
        """Every channel that has a folder."""
        if not self.root.is_dir():
            return
        for card in sorted(self.root.glob("*/channel.json")):
            found = self.channel(card.parent)
            if found:
                yield card.parent, found

    def home(self, card: ChannelCard) -> Path:
        """The folder that a channel has or would get."""
        return self._channel_folders().of(card)

    def folder_of_channel(self, channel_id: str) -> Path | None:
        """The folder that a channel has, whatever it is called today."""
        return next((f for f, card in self.channels() if card.channel_id == channel_id), None)

    def note_failure(self, video_id: str, record: StepRecord) -> Path:
        """Keep the failure of a video whose title is not known."""
        steps = {"metadata": record.model_dump(mode="json")}
        file = self._failure(video_id)
        _write_json(file, {"videoId": video_id, "attempts": _attempts_in(file), "steps": steps})
        return file

    def forget_failure(self, video_id: str) -> None:
        """The video has a place now."""
        self._failure(video_id).unlink(missing_ok=True)

    def _failure(self, video_id: str) -> Path:
        return self.root / FAILED_FOLDER / f"{video_id}.json"

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        inside = (folder for folder in self.root.iterdir() if not folder.name.startswith("."))
        # the root too: people put recordings of their own straight into the library
        return [self.root, *sorted(folder for folder in inside if folder.is_dir())]

    def _channel_folders(self) -> ChannelFolders:
        return ChannelFolders(self.root, self.channels())


def _write_json(file: Path, content: dict[str, Any]) -> None:
    atomic.write_text(file, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _attempts_in(file: Path) -> int:
    try:
        return int(json.loads(file.read_text(encoding="utf-8"))["attempts"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0


def _described_by(video: Video) -> Callable[[Sidecar], Sidecar]:
    return lambda old: old.model_copy(update={"video": video})


def _counted(sidecar: Sidecar) -> Sidecar:
    return sidecar.model_copy(update={"attempts": sidecar.attempts + 1})


def written_at(status: StepStatus, **details: object) -> StepRecord:
    """A step's record with the time of now."""
    return StepRecord.model_validate({**details, "status": status, "at": now()})
