"""Videos by yt-dlp: their metadata without an API key, and their media as a finished file."""

import logging
import time
from pathlib import Path

from engine.errors import ExtractorTrouble, TonspurError
from engine.settings import Settings
from engine.video import Video
from engine.youtube import forms, parts, slots
from engine.youtube.extraction import Clock, Sleep, Source, look_up, remembered
from engine.youtube.failures import understood
from engine.youtube.finishing import TOLERANCE_S, Download, Wanted, finished, finished_before
from engine.youtube.parts import Part
from engine.youtube.quota import now_utc
from engine.youtube.reporting import Progress, Reporter
from engine.youtube.ytdlp_video import described

__all__ = ["ROUNDS", "TOLERANCE_S", "Download", "Progress", "download", "metadata"]

_log = logging.getLogger(__name__)

ROUNDS = 3
"""Times that a video is looked up when its media's address is refused, or throttled."""


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
    sleep: Sleep = time.sleep,
) -> Download:
    """Fetches the media of a video into `folder/stem.<suffix>`; complete, or not there.

    `YT_MEDIA_FORMAT` says what is fetched and what becomes of it. Goes on where a killed call
    stopped; a complete file of the same name is taken as it is. Waits for a place among
    `YT_DOWNLOADS_AT_ONCE`, and for its turn in the pace of all.

    Args:
        video_id: the video.
        folder: made when it is missing.
        stem: the file's name without suffix.
        settings: addresses, cookies, the form of media, the breaker.
        expected_s: the length that the metadata promise, in seconds; None: yt-dlp's own.
        progress: told of bytes that arrived and bytes in all, None while unknown.
        clock: the present, in UTC.
        sleep: waits for so many seconds.

    Raises:
        DownloadsPaused: the breaker is set, or was set while this waited.
        IncompleteDownload: the length is off by more than 2 s; the file is removed.
        DiskFull: not enough space in `folder`; sets the breaker.
        MissingProgram: ffmpeg is missing for MP3 or MP4.
        TonspurError: the leaf that says why the video cannot be had, or not yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(video_id, folder, stem, expected_s, settings.media_format)
    try:
        with slots.held(settings, clock, sleep):
            got = _in_rounds(wanted, settings, Reporter(progress), clock, sleep)
        # Without the place: what ffmpeg does now costs YouTube nothing.
        return got if isinstance(got, Download) else finished(got, wanted)
    except TonspurError as error:
        remembered(error, settings, clock)
        raise


def _in_rounds(
    wanted: Wanted, settings: Settings, reporter: Reporter, clock: Clock, sleep: Sleep
) -> Download | tuple[Part, ...]:
    """The parts, all there; or the file that a killed call had finished."""
    for left in reversed(range(ROUNDS)):
        source = look_up(
            wanted.video_id, settings, clock, hook=reporter, patient=not left, sleep=sleep
        )
        with source:
            got = finished_before(source.info, wanted) or _fetched(source, wanted, reporter)
        if not isinstance(got, Exception):
            return got
        failed, why = got, _worth_another_look(got)
        if why is None or not left:
            break
        _log.warning("%s: %s; it is looked up again", wanted.video_id, why)
        if _is_refused_range(got):
            # yt-dlp asks for the same range again: what is there would be in the way for ever.
            parts.remove(wanted.folder, wanted.video_id)
    raise understood(failed, wanted.video_id, clock())


def _fetched(source: Source, wanted: Wanted, reporter: Reporter) -> tuple[Part, ...] | Exception:
    """The parts; or what yt-dlp failed with, unless it is ours to raise."""
    whole = parts.of(source.info, wanted.folder, wanted.video_id)
    doubled = sum(part.bytes for part in whole) if forms.form_of(wanted.form) else 0
    parts.check_space(whole, doubled)
    for number, part in enumerate(whole):
        reporter.begin([one.told_bytes for one in whole], number)
        try:
            # Not `process_info`: it takes a template, in which `$`, `%` and `~` of a folder's name
            # would be expanded.
            done, _ = source.ytdl.dl(str(part.path), part.info)
        except Exception as error:  # yt-dlp raises whatever its parts raise
            if reporter.failure is not None:
                raise reporter.failure from None  # the caller's own: a cancelled run, for one
            return error
        if not done or not part.path.is_file():
            return ExtractorTrouble(f"{wanted.video_id}: yt-dlp left no file behind.")
    return whole


def _worth_another_look(error: Exception) -> str | None:
    """Why a fresh address may help: the old one ran out, or is throttled; None: it may not."""
    from yt_dlp.utils import ThrottledDownload

    if any(isinstance(cause, ThrottledDownload) for cause in _causes(error)):
        return "YouTube slows the transfer down"
    if 403 in _statuses(error):
        return "YouTube refuses the media's address (HTTP 403)"
    return "what is there already does not fit (HTTP 416)" if _is_refused_range(error) else None


def _is_refused_range(error: Exception) -> bool:
    return 416 in _statuses(error)


def _statuses(error: Exception) -> set[int]:
    from yt_dlp.networking.exceptions import HTTPError

    return {cause.status for cause in _causes(error) if isinstance(cause, HTTPError)}


def _causes(error: Exception) -> tuple[object, ...]:
    wrapped = (getattr(error, "exc_info", None) or (None, None))[1]
    return error, wrapped, getattr(wrapped, "cause", None)
