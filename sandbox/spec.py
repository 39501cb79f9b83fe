"""What a sandbox serves: channels with their videos, API keys, and the knowledge base's ways."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from sandbox.chances import Chances

Obstacle = Literal["private", "members", "age", "region", "upcoming", "live", "processing"]
Container = Literal["m4a", "mp3", "webm", "mp4"]
Shelf = Literal["long", "short", "live"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SandboxVideo(_Model):
    """One video; `talk` names the text in sandbox/talks that is heard in it, `times` over."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{11}$")
    title: str
    published: datetime
    talk: str
    times: int = Field(default=1, ge=1)
    language: str = "en"
    container: Container = "m4a"
    short: bool = False
    description: str = ""
    tags: tuple[str, ...] = ()
    views: int = 100
    likes: int = 10
    obstacle: Obstacle | None = None
    scheduled: datetime | None = None
    """When an upcoming premiere or a live stream starts."""
    was_live: bool = False
    claimed_s: float | None = Field(default=None, gt=0)
    """The length that metadata and page claim, in seconds; None: the true one."""

    @property
    def shelf(self) -> Shelf:
        """Which of the channel's three lists shows it."""
        if self.was_live or self.obstacle == "live":
            return "live"
        return "short" if self.short else "long"

    @property
    def has_media(self) -> bool:
        """Whether anybody may fetch its sound now."""
        return self.obstacle is None


class SandboxPlaylist(_Model):
    """A list made by hand, in its owner's order."""

    id: str
    title: str
    videos: tuple[str, ...]
    description: str = ""


class SandboxChannel(_Model):
    """One channel. `generated` adds that many made-up videos, older than all the others."""

    id: str = Field(pattern=r"^UC[A-Za-z0-9_-]{22}$")
    handle: str = Field(pattern=r"^@.+")
    username: str | None = None
    title: str
    description: str = ""
    videos: tuple[SandboxVideo, ...] = ()
    playlists: tuple[SandboxPlaylist, ...] = ()
    generated: int = Field(default=0, ge=0)

    def with_videos(self, *videos: SandboxVideo) -> Self:
        """The same channel with more videos."""
        return self.model_copy(update={"videos": (*self.videos, *videos)})

    def all_videos(self) -> list[SandboxVideo]:
        """Every video, the newest first."""
        own = sorted(self.videos, key=lambda video: video.published, reverse=True)
        start = own[-1].published if own else datetime(2024, 1, 1, tzinfo=UTC)
        return own + [self._made_up(number, start) for number in range(1, self.generated + 1)]

    def _made_up(self, number: int, start: datetime) -> SandboxVideo:
        digest = hashlib.sha256(f"{self.id}:{number}".encode()).digest()
        return SandboxVideo.model_construct(
            id=base64.urlsafe_b64encode(digest[:8]).decode()[:11],
            title=f"Note {number}",
            published=start - timedelta(hours=number),
            talk="tea",
            views=digest[8] * 100,
        )


class ApiKey(_Model):
    """A key for the Data API and its budget of one Pacific day."""

    key: str
    units: int = 10_000
    searches: int = 100


class OdinSpec(_Model):
    """How the stand-in for ODIN AI behaves."""

    project_ids: tuple[str, ...] = ("tonspurSandboxKB0001",)
    key: str = "sandbox-odin-key"
    secret: str = "sandbox-odin-secret"  # noqa: S105  # opens nothing but this stand-in
    viewer_key: str = "sandbox-viewer-key"
    viewer_secret: str = "sandbox-viewer-secret"  # noqa: S105
    indexing_s: float = Field(default=1.0, ge=0)
    """Seconds from the upload to `synced`."""
    max_bytes: int = 200 * 1024 * 1024
    """Larger request bodies get a proxy's 413 page."""
    credits: int | None = Field(default=None, ge=0)
    """What uploads may cost in all, one for each 10,000 words begun; None: without limit."""
    listing_lag_s: float = Field(default=0.0, ge=0)
    """Seconds for which a new document is not listed yet."""
    chances: Chances | None = None
    """Faults by chance on every request to ODIN AI."""
    chunks_as_objects: bool = False
    """Chunks as {id, content} in place of plain strings: both shapes exist."""


class SandboxSpec(_Model):
    """All of it; written to the state folder, so that it outlives the process."""

    channels: tuple[SandboxChannel, ...]
    api_keys: tuple[ApiKey, ...] = (ApiKey(key="sandbox-youtube-key"),)
    odin: OdinSpec = OdinSpec()
    outspoken: bool = False
    """Whether yt-dlp loads the plugin that raises what a fault `says`: see sandbox.sayings."""
    playlist_cap: int = 20_000
    """Videos that an uploads list shows at most, as YouTube's."""

    @cached_property
    def talks(self) -> frozenset[tuple[str, int, str, Container]]:
        """What has to be spoken: talk, how often, language, container."""
        videos = [video for channel in self.channels for video in channel.videos]
        needed = {(v.talk, v.times, v.language, v.container) for v in videos if v.has_media}
        if any(channel.generated for channel in self.channels):
            needed.add(("tea", 1, "en", "m4a"))
        return frozenset(needed)
