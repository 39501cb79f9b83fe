"""Step 3: level 16 kHz mono audio, and the windows in which somebody speaks."""

import shutil
from collections.abc import Callable

from engine.audio.preparation import load_prepared
from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar
from engine.settings import Settings
from engine.steps import marks
from engine.steps.recording import recorded, versions
from engine.whisper import presets
from engine.whisper.client import Engine


def audio(
    library: Library,
    entry: Entry,
    settings: Settings,
    engine: Engine,
    abort: Callable[[], bool] = lambda: False,
) -> None:
    """Prepare the media for the engine, unless that is done or their transcript is there.

    Raises:
        BadMedia: the file cannot be transcribed.
    """
    sidecar = library.read(entry)
    if marks.transcript_is_done(entry, sidecar, settings):
        return
    mark = marks.of_audio(sidecar, settings)
    folder = marks.prepared_folder(sidecar, settings)
    if sidecar.is_done("audio", mark) and load_prepared(folder):
        return
    before = sidecar.steps.get("audio")
    if before and before.fingerprint not in (None, mark):
        # Prepared with other settings, for a transcript that was never written.
        older = marks.prepared_folder(sidecar, settings, before.fingerprint)
        shutil.rmtree(older, ignore_errors=True)
    with recorded(library, entry, "audio", mark, versions("silero-vad", "av")) as details:
        preset = presets.chosen(settings)
        source = marks.media(entry, sidecar)
        made = engine.prepare(source, folder, preset, abort=abort)
        details |= {
            "duration_s": round(made.duration_s, 3),
            "speech_s": round(made.speech_s, 3),
            "gain_db": round(made.gain_db, 2),
            "cut": made.cut,
        }


def discard(sidecar: Sidecar, settings: Settings) -> None:
    """Remove the prepared audio: its transcript is written."""
    shutil.rmtree(marks.prepared_folder(sidecar, settings), ignore_errors=True)
