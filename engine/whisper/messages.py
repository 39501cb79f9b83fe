"""What the model process and its client say to each other: JSON, a line each."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.audio.preparation import PreparedAudio
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
    language: str
    model: str | None


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


Job = PrepareJob | TranscribeJob
Event = Started | Progress | Spoken | Prepared | Done | Failed

JOBS: TypeAdapter[Job] = TypeAdapter(Annotated[Job, Field(discriminator="kind")])
EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
