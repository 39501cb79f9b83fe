"""Videos by yt-dlp: their metadata without an API key, and their sound as a finished file."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DiskFull, ExtractorTrouble, IncompleteDownload
from engine.library.atomic import replacing
from engine.settings import Settings
from engine.video import Video
from engine.youtube import length
from engine.youtube.extraction import Clock, Source, look_up, remembered
from engine.youtube.failures import understood
from engine.youtube.quota import now_utc
from engine.youtube.ytdlp_video import described

TOLERANCE_S = 2.0
"""How far the length may be from the promised one."""
ROUNDS = 3
"""Times that a video is looked up when its media's address is refused, or throttled."""
_SPARE_BYTES = 64 * 1024 * 1024
_BYTES_PER_S = 24_000
_SUFFIXES = frozenset(
    ("m4a", "mp4", "mp3", "webm", "weba", "opus", "ogg", "oga", "aac", "flac", "wav", "mka", "mkv")
    + ("mov", "m4v", "3gp", "ts", "avi", "flv")
)

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Download:
    """A finished file. `duration_s` is that of its sound, measured, in seconds."""

    path: Path
    size_bytes: int
    sha256: str
    duration_s: float
    yt_dlp_version: str
    format_id: str


def metadata(video_id: str, settings: Settings, *, clock: Clock = now_utc) -> Video:
    """What yt-dlp knows about a video; needs no API key.

    Raises:
        TonspurError: the leaf that says why the video cannot be had, or not yet.
    """
    with look_up(video_id, settings, clock) as source:
        return described(source.info, video_id)


def download(
    video_id: str,
    folder: Path,
    stem: str,
    settings: Settings,
    *,
    expected_s: float | None,
    progress: Progress,
    clock: Clock = now_utc,
) -> Download:
    """Fetches the sound of a video into `folder/stem.<suffix>`; complete, or not there.

    Goes on where a killed call stopped; a complete file of the same name is taken as it is.

    Args:
        video_id: the video.
        folder: made when it is missing.
        stem: the file's name without suffix.
        settings: addresses, cookies, the breaker.
        expected_s: the length that the metadata promise, in seconds; None: yt-dlp's own.
        progress: told of bytes that arrived and bytes in all, None while unknown.
        clock: the present, in UTC.

    Raises:
        DownloadsPaused: the breaker is set.
        IncompleteDownload: the length is off by more than 2 s; the file is removed.
        DiskFull: not enough space in `folder`.
        TonspurError: the leaf that says why the video cannot be had, or not yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _Wanted(video_id, folder, stem, expected_s)
    reporter = _Reporter(progress)
    for left in reversed(range(ROUNDS)):
        with look_up(video_id, settings, clock, hook=reporter, patient=not left) as source:
            got = _finished_before(source, wanted) or _fetched(source, wanted, reporter)
        if isinstance(got, Download):
            return got
        if not _worth_another_look(failed := got):
            break
    raise remembered(understood(failed, video_id, clock()), settings, clock)


@dataclass(frozen=True)
class _Wanted:
    """What was asked for."""

    video_id: str
    folder: Path
    stem: str
    expected_s: float | None

    def target(self, info: dict[str, Any]) -> Path:
        return self.folder / f"{self.stem}{_suffix(info)}"

    def promised_s(self, info: dict[str, Any]) -> float | None:
        told = info.get("duration") if self.expected_s is None else self.expected_s
        return float(told) if isinstance(told, int | float) and told > 0 else None


def _fetched(source: Source, wanted: _Wanted, reporter: "_Reporter") -> Download | Exception:
    """The finished file; or what yt-dlp failed with, unless it is ours to raise."""
    part = wanted.folder / _part_name(wanted.video_id, source.info)
    _check_space(part, source.info)
    try:
        # Not `process_info`: it takes a template, in which `$`, `%` and `~` of a folder's name
        # would be expanded.
        done, _ = source.ytdl.dl(str(part), source.info)
    except Exception as error:  # yt-dlp raises whatever its parts raise
        if reporter.failure is not None:
            raise reporter.failure from None  # the caller's own: a cancelled run, for one
        return error
    if not done or not part.is_file():
        return ExtractorTrouble(f"{wanted.video_id}: yt-dlp left no file behind.")
    return _finish(part, source.info, wanted)


def _worth_another_look(error: Exception) -> bool:
    """Whether a fresh address may help: the old one ran out, or is throttled."""
    from yt_dlp.networking.exceptions import HTTPError
    from yt_dlp.utils import ThrottledDownload

    wrapped = (getattr(error, "exc_info", None) or (None, None))[1]
    for cause in (error, wrapped):
        if isinstance(cause, ThrottledDownload):
            return True
        if isinstance(cause, HTTPError) and cause.status == 403:
            return True
    return False


def _finish(part: Path, info: dict[str, Any], wanted: _Wanted) -> Download:
    promised_s = wanted.promised_s(info)
    found = length.measured(part)
    if found is None or not found.agrees(promised_s, TOLERANCE_S):
        _remove_parts(part)
        has = "no media" if found is None else f"{found.sound_s:.1f} s"
        wants = f" instead of {promised_s:.1f} s" if promised_s is not None else ""
        raise IncompleteDownload(f"{wanted.video_id}: the download has {has}{wants}.")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    target = wanted.target(info)
    with replacing(target) as draft:
        part.replace(draft)
    _remove_parts(part)
    return _described(target, found.sound_s, info)


def _finished_before(source: Source, wanted: _Wanted) -> Download | None:
    """The file of a call that was killed after its last step."""
    target = wanted.target(source.info)
    promised_s = wanted.promised_s(source.info)
    if promised_s is None or not target.is_file():
        return None
    found = length.measured(target)
    if found is None or not found.agrees(promised_s, TOLERANCE_S):
        return None
    return _described(target, found.sound_s, source.info)


def _described(path: Path, sound_s: float, info: dict[str, Any]) -> Download:
    from yt_dlp.version import __version__

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    return Download(path, size, digest, sound_s, __version__, str(info.get("format_id") or ""))


def _suffix(info: dict[str, Any]) -> str:
    told = str(info.get("ext") or "").lower()
    # A page may claim any suffix, `exe` too; what is no known container is kept as Matroska.
    return f".{told}" if told in _SUFFIXES else ".mka"


def _part_name(video_id: str, info: dict[str, Any]) -> str:
    """The same for every try of one format: bytes of two formats must never be joined."""
    made_of = f"{info.get('format_id')}\n{info.get('ext')}\n{info.get('filesize')}"
    return f".~{_digest(video_id)[:8]}{_digest(made_of)[:4]}"


def _remove_parts(part: Path) -> None:
    """Removes a video's unfinished files, of this format and of formats that were tried before."""
    for left in part.parent.glob(f"{part.name[:10]}*"):
        left.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_space(part: Path, info: dict[str, Any]) -> None:
    told = info.get("filesize") or info.get("filesize_approx")
    needed = int(told or (info.get("duration") or 0) * _BYTES_PER_S)
    there = sum(file.stat().st_size for file in part.parent.glob(f"{part.name}*"))
    free = shutil.disk_usage(part.parent).free
    if free < max(0, needed - there) + _SPARE_BYTES:
        raise DiskFull(
            f"{part.parent} has {free // 2**20} MB left, the video needs {needed // 2**20 + 64} MB."
        )


class _Reporter:
    """Tells the caller of progress, and keeps what the caller raises."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.failure: Exception | None = None

    def __call__(self, status: dict[str, Any]) -> None:
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        arrived = status.get("downloaded_bytes") or (total if status["status"] == "finished" else 0)
        try:
            self._progress(int(arrived or 0), int(total) if total else None)
        except Exception as error:
            self.failure = error
            raise
