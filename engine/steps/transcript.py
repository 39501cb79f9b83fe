"""Step 4: what is said, by Whisper; the step that needs the GPU slot."""

from collections.abc import Callable

from engine.audio.preparation import load_prepared
from engine.errors import EngineDied
from engine.library import atomic
from engine.library.shelf import Entry, Library
from engine.settings import Settings
from engine.steps import marks
from engine.steps.audio import audio
from engine.steps.recording import recorded, versions
from engine.transcript import Segment, Transcript
from engine.whisper import presets
from engine.whisper.client import Engine
from engine.whisper.messages import Wishes

NO_SPEECH = "no speech"


def transcript(
    library: Library,
    entry: Entry,
    settings: Settings,
    engine: Engine,
    progress: Callable[[float, float], None] = lambda done, total: None,
    segment: Callable[[Segment], None] = lambda segment: None,
    abort: Callable[[], bool] = lambda: False,
) -> None:
    """Transcribe the prepared audio, unless that is done with the same settings.

    Raises:
        EngineDied: the model process ended; another try starts a fresh one.
    """
    sidecar = library.read(entry)
    if marks.transcript_is_done(entry, sidecar, settings):
        return
    used = versions("torch", "transformers")
    mark = marks.of_transcript(sidecar, settings)
    with recorded(library, entry, "transcript", mark, used) as details:
        folder = marks.prepared_folder(sidecar, settings)
        prepared = load_prepared(folder)
        if prepared is None:  # somebody has tidied up since step 3
            audio(library, entry, settings, engine, abort)
            prepared = load_prepared(folder)
        if prepared is None:
            raise EngineDied(f"The prepared audio is gone from {folder}.")
        preset = presets.chosen(settings)
        result = engine.transcribe(
            prepared,
            preset,
            Wishes.of(settings),
            progress=progress,
            segment=segment,
            abort=abort,
        )
        made = Transcript(
            language=result.language,
            duration_s=result.duration_s,
            model=result.model,
            preset=preset.name,
            segments=result.segments,
        )
        atomic.write_text(entry.transcript, made.model_dump_json(indent=1) + "\n")
        details |= {
            "cause": None if made.segments else NO_SPEECH,
            "language": result.language,
            "model": result.model,
            "preset": preset.name,
            "device": result.device,
            "duration_s": round(result.duration_s, 3),
            "speech_s": round(result.speech_s, 3),
            "engine_s": round(prepared.engine_s + result.engine_s, 3),
            "load_s": round(result.load_s, 3),
            "compute": result.dtype,
            "peak_vram_mb": result.peak_vram_mb,
            "note": result.note,
        }
