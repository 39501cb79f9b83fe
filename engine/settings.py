"""All settings, read once from the environment and `.env`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine.errors import BadSettings

_CHECKOUT = Path(__file__).resolve().parents[1]
NO_UTF8 = ".env is no UTF-8 text: save it as UTF-8."
_YOUTUBES_PACE = 250  # looks an hour: guests are blocked at about 300
PresetName = Literal["stabil", "optimiert", "schnell", "max-schnell"]
MediaFormat = Literal["best", "mp3", "mp4"]


class Settings(BaseSettings):
    """One value object for the whole program; see `.env.example` for every meaning."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        frozen=True,
    )

    library_dir: Path = Path("library")
    """Where media, sidecars and transcripts live; may be a share."""
    state_dir: Path = Field(default_factory=lambda: user_data_path("tonspur", appauthor=False))
    """What belongs to this machine alone; a local disk."""
    keep_media: bool = True
    """Whether downloaded media stay in the library when their transcript is written."""

    media_kept_days: int | None = Field(None, ge=0)
    """Days after which downloaded media go, once transcribed; unset: never."""
    runs_kept_days: int = Field(30, ge=1)
    """Days for which Prefect keeps runs that are over."""
    disk_least_gb: float = Field(10, ge=0)
    """Free space below which housekeeping complains, in GB (10^9 bytes)."""

    yt_api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """YouTube Data API keys, comma separated."""
    yt_api_keys_file: Path = Path("YT_API_keys.txt")
    """One key a line; blank lines and `#` comments are skipped; a missing file is no error."""
    yt_daily_units: int = Field(10_000, ge=0)
    """Budget of one key per Pacific day, in units."""
    yt_daily_searches: int = Field(100, ge=0)
    """Budget of one key per Pacific day, in searches."""
    yt_api_endpoint: str = "https://youtube.googleapis.com/"
    """Root of the Data API."""
    yt_feed_url: str = "https://www.youtube.com/feeds/videos.xml"
    """RSS."""
    yt_watch_url: str = "https://www.youtube.com/watch?v={id}"
    """What the downloader is given; `{id}` becomes the video id."""
    yt_backlog_cap: int = Field(50, ge=1)
    """Videos that a sync queues at a time."""
    yt_videos_per_hour: int | None = Field(None, ge=0)
    """Looks at watch pages per hour, of all processes together; 0: no limit."""
    yt_downloads_at_once: int = Field(3, ge=1, le=100)
    """Transfers side by side, of all processes together."""
    yt_media_format: MediaFormat = "best"
    """best: the sound as YouTube has it; mp3: as MP3; mp4: picture and sound."""
    yt_cookies_file: Path | None = None
    """Cookies of an account, Netscape format; used on recovery only, never rewritten."""
    yt_po_token_provider_url: str | None = None
    """Address of a bgutil PO-token provider; needs the extra `po-token`."""
    yt_region: str | None = Field(None, pattern="^[A-Z]{2}$")
    """Country of this machine, two capital letters; unset: what Windows was told."""

    odin_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ODIN_API_KEY", "API_KEY")
    )
    """ODIN AI key; also read as API_KEY."""
    odin_api_secret: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ODIN_API_SECRET", "API_SECRET")
    )
    """ODIN AI secret; also read as API_SECRET."""
    odin_base_url: str = "https://api.getodin.ai"
    """Root of ODIN AI's API."""
    odin_project_id: str = "vc0lgCl8YHKTHQ9ByzYt"
    """The project whose knowledge base is filled."""
    odin_max_file_mb: int = Field(200, ge=1)
    """Larger files are refused before the upload."""
    odin_author_name: str | None = None
    """Metadata of documents; unset: the channel."""
    odin_uploaded_by: str = "tonspur"
    """Metadata of documents."""
    odin_added_by: str = "tonspur"
    """Metadata of documents."""
    odin_category: str | None = None
    """Metadata of documents; unset: transcript, or document for other files."""
    odin_links: bool = False
    """Whether uploaded transcripts have a link to the moment above each paragraph."""

    whisper_model: str | None = None
    """Name, hub id or folder; unset: large-v3 on CUDA, base on the CPU."""
    whisper_preset: PresetName = "optimiert"
    """stabil, optimiert, schnell or max-schnell."""
    whisper_batch: int | None = Field(None, ge=1, le=256)
    """Windows per batch; unset: the preset's."""
    whisper_chunk_seconds: float | None = Field(None, ge=5, le=90)
    """Seconds per chunk; unset: the preset's."""
    whisper_overlap_seconds: float | None = Field(None, ge=0, le=15)
    """Seconds of overlap where speech has no pause; unset: the preset's."""
    whisper_language: str = "auto"
    """`auto` or a language code."""
    whisper_device: Literal["auto", "cuda", "cpu"] = "auto"
    """Where the model runs."""
    whisper_compute: Literal["auto", "int8", "bfloat16", "float16", "float32"] = "auto"
    """In what it multiplies; auto: what the device is fastest in."""
    whisper_beams: int = Field(1, ge=1, le=10)
    """Texts that are followed side by side; above 1 slower, seldom better."""
    whisper_word_timestamps: bool = False
    """Whether the transcript's JSON tells the times of every word."""
    whisper_max_temperature_c: float = Field(85, ge=40, le=110)
    """Above it the GPU gets a pause between batches."""

    whisper_idle_unload_seconds: float = Field(300, ge=-1)
    """The model process ends after so much idle time; 0: after each job, -1: never."""

    engine_port: int = Field(8765, ge=0, le=65_535)
    """Where the engine listens on loopback; 0: any free port."""
    engine_token: SecretStr | None = None
    """What the engine asks for; unset: made at its first start, in STATE_DIR."""
    engine_max_upload_mb: int = Field(500, ge=1)
    """Larger files are refused at the engine's OpenAI endpoint."""

    notify_url: SecretStr | None = None
    """Where failures are told: a webhook, or an address as Apprise has them; unset: nowhere."""
    worker_queues: Annotated[tuple[str, ...], NoDecode] = ()
    """Work queues that this machine serves: default, syncs, scheduled; unset: all."""
    gpu_slot: str = Field("gpu", pattern=r"^[A-Za-z0-9:._-]{1,60}$")
    """Prefect's tag limit for this machine's GPU; `gpu:NAME` on further machines."""
    channels_file: Path = _CHECKOUT / "deployments" / "channels.yaml"
    """The channels that are synced by the clock."""
    prefect_server_api_auth_string: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"),
    )
    """`user:password` that the Prefect server asks for; unset: it lets everybody in."""
    prefect_api_url: str | None = None
    """Unset: Tonspur's own Prefect server."""

    @field_validator("yt_api_keys", "worker_queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "library_dir", "state_dir", "yt_api_keys_file", "yt_cookies_file", "channels_file"
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("yt_watch_url")
    @classmethod
    def _has_id(cls, value: str) -> str:
        if "{id}" not in value:
            raise ValueError("must hold {id}, the place of the video id")
        return value

    @field_validator(
        "yt_api_endpoint",
        "yt_feed_url",
        "yt_watch_url",
        "odin_base_url",
        "yt_po_token_provider_url",
        "prefect_api_url",
    )
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must be an address that starts with http:// or https://")
        return value

    @field_validator("prefect_server_api_auth_string")
    @classmethod
    def _plain(cls, value: SecretStr | None) -> SecretStr | None:
        told = value.get_secret_value() if value else ""
        if not told.isascii() or not told.isprintable():  # the server compares ASCII alone
            raise ValueError("must be letters, digits and signs of ASCII, as `user:password`")
        return value

    @field_validator("whisper_language")
    @classmethod
    def _language_code(cls, value: str) -> str:
        code = value.strip().lower()
        if code != "auto" and not re.fullmatch(r"[a-z]{2,3}", code):
            raise ValueError("must be `auto` or a language code such as `de`")
        return code

    @model_validator(mode="after")
    def _folders(self) -> Self:
        for name, path in (("LIBRARY_DIR", self.library_dir), ("STATE_DIR", self.state_dir)):
            try:
                if path.is_symlink() and not path.exists():
                    raise ValueError(f"{name}: {path} is a link to nothing; mend or remove it")
                blocker = next((p for p in (path, *path.parents) if p.exists()), None)
            except OSError as error:  # a name too long, a share that is gone
                raise ValueError(f"{name}: {path} cannot be reached: {error.strerror}") from None
            if blocker is not None and not blocker.is_dir():
                raise ValueError(f"{name}: {blocker} is a file; name a folder instead")
        return self

    @property
    def api_keys(self) -> tuple[SecretStr, ...]:
        """Keys of the environment, then those of the file, each once."""
        listed = list(self.yt_api_keys)
        if self.yt_api_keys_file.is_file():
            text = self.yt_api_keys_file.read_text(encoding="utf-8-sig")
            lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
            listed += [SecretStr(line) for line in lines if line]
        return tuple({key.get_secret_value(): key for key in listed}.values())

    @property
    def ledger_file(self) -> Path:
        """Quota that each key has spent (SQLite)."""
        return self.state_dir / "quota.sqlite3"

    @property
    def locks_dir(self) -> Path:
        """Lock files of this machine."""
        return self.state_dir / "locks"

    @property
    def prepared_dir(self) -> Path:
        """Prepared audio of videos that are on their way."""
        return self.state_dir / "prepared"

    @property
    def checkpoints_dir(self) -> Path:
        """Checkpoints converted to transformers' form."""
        return self.state_dir / "checkpoints"

    @property
    def engine_token_file(self) -> Path:
        """The engine's token, readable by the user alone."""
        return self.state_dir / "engine.token"

    @property
    def uploads_dir(self) -> Path:
        """Recordings that other programs have sent to the engine, while it works on them."""
        return self.state_dir / "uploads"

    @property
    def outbox_dir(self) -> Path:
        """Transcripts in the form in which they are uploaded, while they are."""
        return self.state_dir / "outbox"

    @property
    def logs_dir(self) -> Path:
        """What the processes of this machine say."""
        return self.state_dir / "logs"

    @property
    def downloads_dir(self) -> Path:
        """yt-dlp's cache."""
        return self.state_dir / "yt-dlp"

    @property
    def videos_per_hour(self) -> int:
        """The pace; unset, YouTube itself is spared, and nobody else."""
        if self.yt_videos_per_hour is not None:
            return self.yt_videos_per_hour
        host = urlsplit(self.yt_watch_url).hostname or ""
        return _YOUTUBES_PACE if host == "youtube.com" or host.endswith(".youtube.com") else 0

    @property
    def media_format(self) -> MediaFormat:
        """What downloads become: media that do not stay need no form of their own."""
        return self.yt_media_format if self.keep_media else "best"

    @property
    def pace_file(self) -> Path:
        """How far the pace of looks at watch pages is used up."""
        return self.state_dir / "youtube_pace"

    @property
    def pause_file(self) -> Path:
        """The breaker: until when downloads rest."""
        return self.state_dir / "youtube_paused_until"


def load(**overrides: Any) -> Settings:
    """The settings of this process.

    Raises:
        BadSettings: a value cannot be used; the message names the variable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ")
        raise BadSettings(f"{name}: {said}." if name else f"{said}.") from None
    except UnicodeDecodeError:
        raise BadSettings(NO_UTF8) from None


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for a child process that runs in another folder."""
    values: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name == "worker_queues":
            value = ",".join(value)
        elif name == "yt_api_keys":
            value = ",".join(key.get_secret_value() for key in settings.api_keys)
        elif isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None and value != "":
            values[name.upper()] = str(value)
    return values
