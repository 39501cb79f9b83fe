"""What a step's output depends on; a step whose mark matches its output is done."""

from pathlib import Path

from engine.library.shelf import Entry
from engine.library.sidecar import Sidecar
from engine.settings import MediaFormat, Settings
from engine.steps.recording import fingerprint
from engine.whisper import presets

# each is raised when the same input would give another output
_PREPARATION = 2
_DECODING = 2


def of_metadata(video_id: str) -> str:
    """Metadata are looked up once."""
    return fingerprint("metadata", video_id)


def of_download(video_id: str, form: MediaFormat = "best") -> str:
    """Media are fetched once for each form in which they are kept.

    The default's mark is what it was before there were forms: what was fetched then counts.
    """
    return fingerprint("download", video_id, *(() if form == "best" else (form,)))


def of_audio(sidecar: Sidecar, settings: Settings) -> str:
    """Prepared audio depends on the media and on how they are cut into windows."""
    preset = presets.chosen(settings)
    return fingerprint(_PREPARATION, heard(sidecar), preset.chunk_seconds, preset.overlap_seconds)


def of_transcript(sidecar: Sidecar, settings: Settings) -> str:
    """Segments depend on the media and on every setting that may change the text."""
    preset = presets.chosen(settings)
    model, language = settings.whisper_model, settings.whisper_language
    cut = (preset.chunk_seconds, preset.overlap_seconds)
    manner = (settings.whisper_compute, settings.whisper_beams, settings.whisper_word_timestamps)
    return fingerprint(_DECODING, heard(sidecar), model, language, preset.name, cut, manner)


def transcript_is_done(entry: Entry, sidecar: Sidecar, settings: Settings) -> bool:
    """Whether the segments are there, made from the same media with the same settings."""
    if "download" not in sidecar.steps or not entry.transcript.is_file():
        return False
    return sidecar.is_done("transcript", of_transcript(sidecar, settings))


def media(entry: Entry, sidecar: Sidecar) -> Path:
    """The media file that the later steps read; local recordings may lie in another folder."""
    return entry.folder / str(sidecar.steps["download"].detail("media"))


def prepared_folder(sidecar: Sidecar, settings: Settings, mark: str | None = None) -> Path:
    """Where the prepared audio lies; named by what it depends on, so it is never mistaken.

    Two videos may have the same sound and be on their way at the same time: each has its own.
    """
    own = fingerprint(sidecar.video.video_id, mark or of_audio(sidecar, settings))
    return settings.prepared_dir / own


def heard(sidecar: Sidecar) -> str | None:
    """The content that transcripts are of: the SHA-256 of the first media of this video.

    The same video in another form, or fetched again after its media were removed, has other bytes
    and the same sound: step 2 keeps the first name, so that no transcript is made twice.
    """
    record = sidecar.steps.get("download")
    return (record.detail("heard") or record.sha256) if record else None
