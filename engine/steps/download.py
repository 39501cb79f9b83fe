"""Step 2: the sound of a video, whole and of the promised length."""

from collections.abc import Callable

from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar
from engine.settings import Settings
from engine.steps import marks
from engine.steps.recording import recorded, versions
from engine.youtube import downloads


def download(
    library: Library,
    entry: Entry,
    settings: Settings,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> None:
    """Fetch the media unless they are there, or their transcript is; resumes where it broke off.

    Raises:
        IncompleteDownload: the length is not the one that the metadata promise.
        TonspurError: the leaf that yt-dlp's failure stands for.
    """
    sidecar = library.read(entry)
    mark = marks.of_download(entry.video_id)
    if is_fetched(entry, sidecar, mark) or marks.transcript_is_done(entry, sidecar, settings):
        return
    with recorded(library, entry, "download", mark, versions("yt-dlp")) as details:
        fetched = downloads.download(
            entry.video_id,
            entry.folder,
            entry.stem,
            settings,
            expected_s=sidecar.video.duration_s,
            progress=progress,
        )
        details |= {
            "sha256": fetched.sha256,
            "media": fetched.path.name,
            "bytes": fetched.size_bytes,
            "duration_s": round(fetched.duration_s, 2),
            "format": fetched.format_id,
        }


def is_fetched(entry: Entry, sidecar: Sidecar, mark: str) -> bool:
    """Whether the media are there, as large as they were when they were fetched."""
    if not sidecar.is_done("download", mark):
        return False
    file = marks.media(entry, sidecar)
    return file.is_file() and file.stat().st_size == sidecar.steps["download"].detail("bytes")
