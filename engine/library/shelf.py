"""The library: finds, places and changes what belongs to a video."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from engine.library import atomic, locks, names
from engine.library.sidecar import Sidecar, StepName, StepRecord, StepStatus, now
from engine.settings import Settings
from engine.video import Video

_SOUND = (".m4a", ".mp3", ".opus", ".ogg", ".oga", ".weba", ".aac", ".flac", ".wav", ".mka")
_PICTURES = (".mp4", ".webm", ".mkv", ".mov", ".m4v", ".3gp", ".ts", ".avi", ".flv")
MEDIA_EXTENSIONS = _SOUND + _PICTURES
LOCAL_FOLDER = "Local files"
FAILED_FOLDER = ".failed"
_ENDED = re.compile(rb'^  "attempts": [1-9]', re.MULTILINE)
_UNKNOWN_CHANNEL = "Unknown channel"


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


class ChannelCard(BaseModel):
    """`channel.json`: what keeps a renamed channel in its folder."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    channel_id: str | None = None
    handle: str | None = None
    title: str | None = None


class Library:
    """Everything that lives under LIBRARY_DIR; safe to use from many processes of one machine."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.library_dir
        self._locks = settings.locks_dir

    def entries(self) -> Iterator[Entry]:
        """Every video that has a sidecar, channel by channel, oldest first."""
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                yield from self.entries_of(folder)

    def entries_of(self, folder: Path) -> Iterator[Entry]:
        """Every video with a sidecar in one channel's folder, oldest first."""
        if not folder.is_dir():
            return
        for file in sorted(folder.glob("*.json")):
            video_id = names.id_of(file.stem)
            if video_id and not file.name.startswith("."):
                yield Entry(folder, file.stem, video_id)

    def find(self, video_id: str, folder: Path | None = None) -> Entry | None:
        """Where the video is, in one folder or anywhere in the library."""
        found = self.entries_of(folder) if folder else self.entries()
        return next((entry for entry in found if entry.video_id == video_id), None)

    def place(self, video: Video, folder: Path | None = None) -> Entry:
        """Where the video is or shall be; its sidecar is written, steps that are known stay."""
        with locks.held(self._locks, "place", str(folder or self.root)):
            entry = self.find(video.video_id, folder)
            if entry is None:
                entry = self.expected(video, folder)
                if folder is None and self.channel(entry.folder) is None:
                    _write_card(entry.folder, video)
                Sidecar(video=video).write(entry.sidecar)
                return entry
        self.change(entry, lambda old: old.model_copy(update={"video": video}))
        return entry

    def expected(self, video: Video, folder: Path | None = None) -> Entry:
        """Where a video that is not in the library would be placed."""
        return self._free_place(folder or self._channel_folder(video), video)

    def ended_ids(self, folder: Path) -> set[str]:
        """Videos of a channel of which a run came to an end, well or not.

        Others were never begun, or their run was interrupted: a sync takes them again.
        """
        # the bytes are searched: parsing 20,000 sidecars would take seconds
        return {
            entry.video_id
            for entry in self.entries_of(folder)
            if _ENDED.search(entry.sidecar.read_bytes())
        }

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
        """Count one more run that came to an end; without a sidecar there is nothing to count."""
        entry = self.find(video_id, folder)
        if entry:
            self.change(entry, _counted)

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

    def channels(self) -> Iterator[tuple[Path, ChannelCard]]:
        """Every channel that has a folder."""
        if not self.root.is_dir():
            return
        for card in sorted(self.root.glob("*/channel.json")):
            found = self.channel(card.parent)
            if found:
                yield card.parent, found

    def folder_of_channel(self, channel_id: str) -> Path | None:
        """The folder that a channel has, whatever it is called today."""
        return next((f for f, card in self.channels() if card.channel_id == channel_id), None)

    def note_failure(self, video_id: str, record: StepRecord) -> Path:
        """Keep the failure of a video whose title is not known."""
        file = self.root / FAILED_FOLDER / f"{video_id}.json"
        content = {"videoId": video_id, "steps": {"metadata": record.model_dump(mode="json")}}
        atomic.write_text(file, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        return file

    def forget_failure(self, video_id: str) -> None:
        """The video has a place now."""
        (self.root / FAILED_FOLDER / f"{video_id}.json").unlink(missing_ok=True)

    def _channel_folder(self, video: Video) -> Path:
        if video.channel_id and (known := self.folder_of_channel(video.channel_id)):
            return known
        wanted = names.channel_folder(video.channel_title or video.channel_id or _UNKNOWN_CHANNEL)
        folder, number = self.root / wanted, 1
        while (card := self.channel(folder)) and card.channel_id != video.channel_id:
            number += 1
            folder = self.root / f"{wanted} {number}"
        return folder

    def _free_place(self, folder: Path, video: Video) -> Entry:
        taken = {file.name.casefold() for file in folder.iterdir()} if folder.is_dir() else set()
        suffix = 0
        while True:
            stem = names.stem(video.published_at, video.title, video.video_id, suffix)
            marks = (f"{video.video_id}~{suffix}" if suffix else video.video_id).casefold()
            ours = (f"{stem}{e}".casefold() for e in (".json", ".txt", ".srt", ".vtt"))
            twin = any(name.endswith(f"_{marks}.json") for name in taken)
            if not twin and not taken.intersection(ours):
                return Entry(folder, stem, video.video_id)
            suffix += 1


def _write_card(folder: Path, video: Video) -> None:
    card = ChannelCard(
        channel_id=video.channel_id, handle=video.channel_handle, title=video.channel_title
    )
    content = card.model_dump(mode="json", by_alias=True)
    atomic.write_text(
        folder / "channel.json", json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    )


def _counted(sidecar: Sidecar) -> Sidecar:
    return sidecar.model_copy(update={"attempts": sidecar.attempts + 1})


def written_at(status: StepStatus, **details: object) -> StepRecord:
    """A step's record with the time of now."""
    return StepRecord.model_validate({**details, "status": status, "at": now()})
