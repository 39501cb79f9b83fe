"""What yt-dlp is told: sound in the original language, every retry by name, nothing printed."""

import io
import logging
from collections.abc import Callable
from typing import Any

from engine.errors import BadSettings
from engine.settings import MediaFormat, Settings
from engine.youtube.failures import redacted

_log = logging.getLogger(__name__)

REQUEST_PAUSE_S = 0.75
"""Between two requests for a page."""
_RETRIES = 10
LONGEST_PAUSE_S = 30.0
_SOUND = ("bestaudio/best[height<=?480]/best", ("lang", "aext", "abr"))
"""Sound alone; where there is none, a small picture with it. The original language before
everything: a dubbed track would be transcribed as if it were it; then m4a before opus, which every
player and ffmpeg build reads."""
_FILM = (
    "bestvideo+bestaudio/best/bestaudio",
    ("lang", "res:1080", "vcodec:h264", "acodec:aac", "fps", "aext", "vbr", "abr"),
)
"""Picture and sound apart, up to 1080 lines, and of those what MP4 holds without another coding;
where the page has sound alone, that."""
FORMATS: dict[MediaFormat, tuple[str, tuple[str, ...]]] = {
    "best": _SOUND,
    "mp3": _SOUND,
    "mp4": _FILM,
}
"""What yt-dlp chooses for each form of media, and in which order it prefers."""

_EXTRACTORS = ("youtube.*", "generic")
"""The second reads stand-ins and proxies. The other 1,800 cost a second of CPU per video, and none
of them has any business with an address of a YouTube video."""

Hook = Callable[[dict[str, Any]], None]


class RedactedLog:
    """yt-dlp's logger: addresses lose what they carry behind the host."""

    def debug(self, message: str) -> None:
        """Takes what yt-dlp would print."""
        _log.debug("%s", redacted(message))

    def info(self, message: str) -> None:
        """Takes what yt-dlp would print."""
        _log.debug("%s", redacted(message))

    def warning(self, message: str, **_: Any) -> None:
        """Takes a warning."""
        _log.warning("yt-dlp: %s", redacted(message))

    def error(self, message: str) -> None:
        """Takes an error, which is raised too: whoever handles it decides how loud it is."""
        _log.debug("yt-dlp: %s", redacted(message))


def options(
    settings: Settings, *, hook: Hook | None = None, cookies: bool = False, patient: bool = False
) -> dict[str, Any]:
    """The options of one YoutubeDL.

    Args:
        settings: the form of media, the cache folder, the cookies, the provider of PO tokens.
        hook: told of progress.
        cookies: whether to sign in with the settings' cookies; for recovery only.
        patient: whether a slow transfer is waited for.

    Raises:
        BadSettings: the cookies file cannot be read.
    """
    wanted, order = FORMATS[settings.media_format]
    chosen: dict[str, Any] = {
        "format": wanted,
        "format_sort": [*order],
        "allowed_extractors": [*_EXTRACTORS],
        "noplaylist": True,
        "ignoreerrors": False,
        "quiet": True,
        "noprogress": True,
        "color": "no_color",
        "logger": RedactedLog(),
        "fixup": "never",
        "postprocessors": [],
        "cachedir": str(settings.downloads_dir),
        "progress_hooks": [hook] if hook else [],
    }
    chosen |= _transfer(patient)
    if settings.yt_po_token_provider_url:
        provider = {"base_url": [settings.yt_po_token_provider_url]}
        chosen["extractor_args"] = {"youtubepot-bgutilhttp": provider}
    if cookies:
        chosen["cookiefile"] = _cookies(settings)
    return chosen


def _transfer(patient: bool) -> dict[str, Any]:
    return {
        # The library's default is no retry at all; only the command line's is ten.
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "extractor_retries": 3,
        "file_access_retries": 3,
        "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _pause),
        "socket_timeout": 20,
        # The default drops lost fragments without a word: sound with holes.
        "skip_unavailable_fragments": False,
        "concurrent_fragment_downloads": 2,
        # YouTube slows larger requests down.
        "http_chunk_size": 10 * 1024 * 1024,
        "throttledratelimit": None if patient else 100 * 1024,
        "sleep_interval_requests": REQUEST_PAUSE_S,
        "continuedl": True,
    }


def _cookies(settings: Settings) -> io.StringIO:
    """A copy in memory: yt-dlp writes its jar back into what it was given."""
    if settings.yt_cookies_file is None:
        raise BadSettings("YT_COOKIES_FILE is not set.")
    try:
        return io.StringIO(settings.yt_cookies_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"YT_COOKIES_FILE: {settings.yt_cookies_file} cannot be read "
            f"({type(error).__name__}); export it again in Netscape format."
        ) from None


def _pause(n: int) -> float:
    return float(min(LONGEST_PAUSE_S, 2.0**n))
