"""All that one sandbox process knows: its spec, its catalogue, and where its state lies."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from engine.library.atomic import replacing, write_text
from sandbox.documents import Documents
from sandbox.recordings import Recordings
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.tally import Tally

_VARIANTS = {"UULF": "long", "UUSH": "short", "UULV": "live"}


@dataclass(frozen=True)
class Playlist:
    """A list of videos in its order; `title` and `description` as its owner wrote them."""

    id: str
    title: str
    description: str
    channel: SandboxChannel
    videos: tuple[SandboxVideo, ...]


class Catalogue:
    """Channels, videos and playlists, found by their ids."""

    def __init__(self, spec: SandboxSpec) -> None:
        self.channels = spec.channels
        self._cap = spec.playlist_cap
        self._listed = {channel.id: channel.all_videos() for channel in spec.channels}
        self._known: dict[str, Playlist | None] = {}
        self._videos = {
            video.id: (channel, video)
            for channel in spec.channels
            for video in self._listed[channel.id]
        }

    def video(self, video_id: str) -> tuple[SandboxChannel, SandboxVideo] | None:
        """A video and its channel."""
        return self._videos.get(video_id)

    def videos_of(self, channel: SandboxChannel) -> list[SandboxVideo]:
        """Every video of a channel, the newest first."""
        return self._listed[channel.id]

    def playlist(self, playlist_id: str) -> Playlist | None:
        """An uploads list, one of its variants (None when it is empty), or a list made by hand."""
        if playlist_id not in self._known:
            self._known[playlist_id] = self._found(playlist_id)
        return self._known[playlist_id]

    def _found(self, playlist_id: str) -> Playlist | None:
        for channel in self.channels:
            rest = channel.id.removeprefix("UC")
            listed = self._listed[channel.id]
            if playlist_id == f"UU{rest}":
                return self._uploads(playlist_id, channel, listed)
            if playlist_id[4:] == rest and playlist_id[:4] in _VARIANTS:
                shelf = _VARIANTS[playlist_id[:4]]
                chosen = [video for video in listed if video.shelf == shelf]
                return self._uploads(playlist_id, channel, chosen) if chosen else None
            for own in self.playlists_of(channel):
                if own.id == playlist_id:
                    return own
        return None

    def playlists_of(self, channel: SandboxChannel) -> list[Playlist]:
        """The lists that a channel made by hand."""
        return [
            Playlist(
                own.id,
                own.title,
                own.description,
                channel,
                tuple(self._videos[video_id][1] for video_id in own.videos),
            )
            for own in channel.playlists
        ]

    def _uploads(
        self, playlist_id: str, channel: SandboxChannel, videos: list[SandboxVideo]
    ) -> Playlist:
        title = f"Uploads from {channel.title}"
        return Playlist(playlist_id, title, "", channel, tuple(videos[: self._cap]))


class World:
    """One per process. A new spec may come while it runs."""

    def __init__(self, state: Path, recordings: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._state = state
        self._changing = threading.Lock()
        self.tally = Tally(state / "tally.sqlite3")
        self.recordings = Recordings(recordings)
        self.documents = Documents(state / "odin")
        self.spec = SandboxSpec(channels=())
        self.catalogue = Catalogue(self.spec)

    def adopt(self, spec: SandboxSpec) -> None:
        """Serves `spec` from now on, and after a restart.

        Raises:
            MissingProgram: eSpeak NG or ffmpeg is missing.
            FileNotFoundError: it names a talk that does not exist.
        """
        with self._changing:
            self.recordings.prepare(spec)
            catalogue = Catalogue(spec)
            write_text(spec_file(self._state), spec.model_dump_json(indent=1))
            self.spec, self.catalogue = spec, catalogue

    def cut_short(self, file: Path, size: int) -> Path:
        """A copy of the first `size` bytes of a file, made once."""
        short = self._state / f"{file.stem}-{size}{file.suffix}"
        if not short.is_file():
            with file.open("rb") as whole, replacing(short) as draft:
                draft.write_bytes(whole.read(size))
        return short


def spec_file(state: Path) -> Path:
    """Where a state folder keeps the spec."""
    return state / "spec.json"


async def _of(request: Request) -> World:  # async: no thread for so little
    world: World = request.app.state.world
    return world


Here = Annotated[World, Depends(_of)]
"""The world of the request, for a route's signature."""
