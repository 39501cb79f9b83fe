"""All that a recording needs before Whisper hears it: decoded, levelled, cut into windows."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.audio.decoding import Aborted, decode
from engine.audio.samples import SAMPLE_RATE, locate, read_blocks
from engine.audio.sounding import LevelMeter, sounding
from engine.audio.windows import Span, Window, plan
from engine.errors import NotMedia
from engine.library import atomic
from engine.whisper.presets import Preset

_WAV = "audio.wav"
_DESCRIPTION = "prepared.json"


class PreparedAudio(BaseModel):
    """A recording that is ready for Whisper; lengths in seconds.

    `wav` is 16 kHz mono of 16-bit samples, to be read with `gain_db`. `speech` is where somebody is
    heard to speak. `cut` is a sentence when the sound is not what the container promised. Without
    speech there is no window. `engine_s` is what the preparation took, without the loading of its
    libraries.
    """

    model_config = ConfigDict(frozen=True)

    wav: Path
    duration_s: float
    speech: tuple[Span, ...]
    speech_s: float
    gain_db: float
    cut: str | None
    windows: tuple[Window, ...]
    engine_s: float = 0.0


def prepare(
    source: Path,
    folder: Path,
    preset: Preset,
    *,
    abort: Callable[[], bool] = lambda: False,
) -> PreparedAudio:
    """Prepare `source` in `folder`, which is made if need be; its description is written last.

    Memory does not grow with the length. May run again after any kind of end.

    Raises:
        BadMedia: nothing in it can be transcribed.
        MissingProgram: ffmpeg or silero-vad is missing.
        DiskFull: no space left in `folder`.
        EngineDied: ffmpeg was ended from outside.
        Aborted: `abort` said so.
    """
    from engine.audio.speech import find_speech  # torch: light processes only load what was made

    def stop_if_asked() -> None:
        if abort():
            raise Aborted("Preparation was stopped.")

    before = perf_counter()
    _clear(folder)
    decoded = decode(source, folder / _WAV, threads=preset.preparation_threads, abort=abort)
    meter = LevelMeter()
    speech = find_speech(
        meter.passing(read_blocks(decoded.wav, decoded.gain_db)),
        round(decoded.duration_s * SAMPLE_RATE),
        abort=stop_if_asked,
    )
    prepared = PreparedAudio(
        wav=decoded.wav,
        duration_s=decoded.duration_s,
        speech=sounding(speech, meter.levels),
        speech_s=sum(span.end_s - span.start_s for span in speech),
        gain_db=decoded.gain_db,
        cut=decoded.cut,
        windows=plan(speech, decoded.duration_s, preset),
        engine_s=perf_counter() - before,
    )
    # The name alone: the folder may be moved.
    named = prepared.model_copy(update={"wav": Path(_WAV)})
    atomic.write_text(folder / _DESCRIPTION, named.model_dump_json(indent=1) + "\n")
    return prepared


def load_prepared(folder: Path) -> PreparedAudio | None:
    """What `prepare` made in `folder`; None where it is missing, damaged or not complete."""
    try:
        text = (folder / _DESCRIPTION).read_bytes()
        named = PreparedAudio.model_validate_json(text)
        wav = folder / named.wav.name
        if abs(locate(wav).duration_s - named.duration_s) * SAMPLE_RATE > 1:
            return None
    except (OSError, ValidationError, NotMedia):
        return None
    return named.model_copy(update={"wav": wav})


def _clear(folder: Path) -> None:
    """Remove an older description, and what a process that was killed left behind."""
    (folder / _DESCRIPTION).unlink(missing_ok=True)
    for left in folder.glob(f"{atomic.TEMPORARY_PREFIX}*"):
        left.unlink(missing_ok=True)
