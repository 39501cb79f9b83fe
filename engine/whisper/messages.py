"""What model process, engine service and client say to each other: JSON, a line each."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.audio.preparation import PreparedAudio
from engine.settings import Settings
from engine.transcript import Segment
from engine.whisper.presets import Preset


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Transcription(_Message):
    """What came of one recording.

    `engine_s` is the time from reading the first samples to the last segment with the model
    loaded, `load_s` what loading it took in this job. `language` is None where nobody speaks and
    none was asked for. `peak_vram_mb` is the most of a card's memory that was held at a time, None
    on the CPU. `note` says what is not as it was asked for.
    """

    language: str | None
    segments: tuple[Segment, ...]
    model: str
    preset: str
    device: str
    dtype: str | None
    engine_s: float
    load_s: float
    duration_s: float
    speech_s: float
    peak_vram_mb: float | None = None
    note: str | None
    versions: dict[str, str]


class Wishes(_Message):
    """What of a client's settings changes its transcripts.

    The engine may have been started with others; `auto` and None leave model,
    device and compute to the engine.
    """

    model: str | None = None
    language: str = "auto"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    compute: Literal["auto", "int8", "bfloat16", "float16", "float32"] = "auto"
    beams: int = 1
    words: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings."""
        return cls(
            model=settings.whisper_model,
            language=settings.whisper_language,
            device=settings.whisper_device,
            compute=settings.whisper_compute,
            beams=settings.whisper_beams,
            words=settings.whisper_word_timestamps,
        )

    def over(self, settings: Settings) -> Settings:
        """The engine's settings with these wishes."""
        wished: dict[str, Any] = {
            "whisper_model": self.model,
            "whisper_device": self.device,
            "whisper_compute": self.compute,
        }
        update = {name: wish for name, wish in wished.items() if wish not in (None, "auto")}
        update |= {
            "whisper_language": self.language,
            "whisper_beams": self.beams,
            "whisper_word_timestamps": self.words,
        }
        return settings.model_copy(update=update)


class PrepareJob(_Message):
    """Decode, level and cut one recording."""

    kind: Literal["prepare"] = "prepare"
    source: Path
    folder: Path
    preset: Preset


class TranscribeJob(_Message):
    """Write down what is said in prepared audio."""

    kind: Literal["transcribe"] = "transcribe"
    prepared: PreparedAudio
    preset: Preset
    wishes: Wishes


class Queued(_Message):
    """So many jobs come before this one; 0 when it is the next."""

    kind: Literal["queued"] = "queued"
    ahead: int


class Alive(_Message):
    """Nothing new; `work` grows with every step that a job takes, and is 0 while it loads."""

    kind: Literal["alive"] = "alive"
    work: int = 0


class Loaded(_Message):
    """A model is in memory now."""

    kind: Literal["loaded"] = "loaded"
    model: str
    device: str
    compute: str


class Restarted(_Message):
    """The model process was lost; the job begins anew in a fresh one."""

    kind: Literal["restarted"] = "restarted"
    why: str


class Stopped(_Message):
    """The job was stopped as it was asked to; the model stays in memory."""

    kind: Literal["stopped"] = "stopped"


class Started(_Message):
    """A job was taken up."""

    kind: Literal["started"] = "started"


class Progress(_Message):
    """So many seconds of all the speech are done."""

    kind: Literal["progress"] = "progress"
    done_s: float
    total_s: float


class Spoken(_Message):
    """A segment is final."""

    kind: Literal["segment"] = "segment"
    segment: Segment


class Prepared(_Message):
    """A preparation is over."""

    kind: Literal["prepared"] = "prepared"
    prepared: PreparedAudio


class Done(_Message):
    """A transcription is over."""

    kind: Literal["done"] = "done"
    transcription: Transcription


class Failed(_Message):
    """A job failed: the name of a leaf of `engine.errors`, and its message without advice."""

    kind: Literal["failed"] = "failed"
    error: str
    message: str


Job = Annotated[PrepareJob | TranscribeJob, Field(discriminator="kind")]


class Ask(_Message):
    """A numbered job for the model process."""

    kind: Literal["ask"] = "ask"
    number: int
    job: Job


class Stop(_Message):
    """Stop that job, if it is the one in hand."""

    kind: Literal["stop"] = "stop"
    number: int


Order = Annotated[Ask | Stop, Field(discriminator="kind")]
Ending = Prepared | Done
"""What a job has come to when it did not fail."""
Event = Annotated[
    Queued | Alive | Loaded | Restarted | Stopped | Started | Progress | Spoken | Ending | Failed,
    Field(discriminator="kind"),
]

JOBS: TypeAdapter[Job] = TypeAdapter(Job)
ORDERS: TypeAdapter[Order] = TypeAdapter(Order)
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
