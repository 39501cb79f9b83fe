"""Step 2: the media of a video, whole, of the promised length, in the form that was asked for."""

from collections.abc import Callable
from typing import Any

from engine.library.shelf import Entry, Library, written_at
from engine.library.sidecar import Sidecar
from engine.settings import Settings
from engine.steps import marks
from engine.steps.media import dropped, fetched_media
from engine.steps.recording import recorded, versions
from engine.youtube import downloads
from engine.youtube.finishing import TOLERANCE_S, Download, Wanted, converted


def download(
    library: Library,
    entry: Entry,
    settings: Settings,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> None:
    """Fetch the media unless they are there, or nobody needs them; resumes where it broke off.

    A transcript needs no media once it is done; a form that is to be kept (`YT_MEDIA_FORMAT`) is
    fetched all the same, and the transcript stays. It takes the place of media in no form of their
    own; those in another form were asked for too, and stay beside it.

    Raises:
        IncompleteDownload: the length is not the one that the metadata promise.
        TonspurError: the leaf that yt-dlp's failure stands for.
    """
    sidecar = library.read(entry)
    if is_fetched(entry, sidecar, settings):
        return
    if settings.media_format == "best" and marks.transcript_is_done(entry, sidecar, settings):
        _forget_failure(library, entry, sidecar)
        return
    mark = marks.of_download(entry.video_id, settings.media_format)
    first = {"heard": marks.heard(sidecar)}
    with recorded(library, entry, "download", mark, versions("yt-dlp"), kept=first) as details:
        earlier = fetched_media(entry, sidecar)
        fetched = _converted(entry, sidecar, settings) or downloads.download(
            entry.video_id,
            entry.folder,
            entry.stem,
            settings,
            expected_s=sidecar.video.duration_s,
            progress=progress,
        )
        plain = sidecar.is_done("download", marks.of_download(entry.video_id))
        if earlier and plain and earlier != fetched.path:
            dropped(earlier)
        details |= {
            "sha256": fetched.sha256,
            "heard": _heard(sidecar, fetched),
            "media": fetched.path.name,
            "bytes": fetched.size_bytes,
            "duration_s": round(fetched.duration_s, 2),
            "format": fetched.format_id,
        }


def is_fetched(entry: Entry, sidecar: Sidecar, settings: Settings) -> bool:
    """Whether the media are there, as large as they were when they were fetched.

    Where no form is asked for, any will do.
    """
    if settings.media_format == "best":
        return fetched_media(entry, sidecar) is not None
    mark = marks.of_download(entry.video_id, settings.media_format)
    return sidecar.is_done("download", mark) and fetched_media(entry, sidecar) is not None


def _converted(entry: Entry, sidecar: Sidecar, settings: Settings) -> Download | None:
    """The MP3 of media that are there: YouTube need not be asked for the same sound again."""
    media = fetched_media(entry, sidecar)
    if media is None or settings.media_format != "mp3":
        return None
    length_s = sidecar.video.duration_s
    return converted(media, Wanted(entry.video_id, entry.folder, entry.stem, length_s, "mp3"))


def _heard(sidecar: Sidecar, fetched: Download) -> str | None:
    """The content that earlier transcripts are of, where this is the same; None: its own."""
    before = sidecar.steps.get("download")
    known = marks.heard(sidecar)
    if before is None or known in (None, fetched.sha256):
        return None
    length_s: Any = before.detail("duration_s")
    differs = length_s is not None and abs(length_s - fetched.duration_s) > TOLERANCE_S
    return None if differs else known


def _forget_failure(library: Library, entry: Entry, sidecar: Sidecar) -> None:
    """A form that could not be had is not asked for any more: the record must not say failed."""
    record = sidecar.steps["download"]
    if record.status in ("failed", "deferred"):
        note = {"cause": "the transcript is there", "heard": marks.heard(sidecar)}
        library.record(entry, "download", written_at("skipped", **note))
