"""The sidecar of one video: its metadata, and what each step did."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.library import atomic
from engine.video import Video

StepName = Literal["metadata", "download", "audio", "transcript", "write", "upload"]
StepStatus = Literal["done", "skipped", "deferred", "failed"]
STEPS: tuple[StepName, ...] = get_args(StepName)
_ALWAYS = {"status", "at", "fingerprint", "versions", "error"}


class StepRecord(BaseModel):
    """What a step did last; the first five fields are always written, others when they apply."""

    model_config = ConfigDict(frozen=True, extra="allow")

    status: StepStatus
    at: datetime
    fingerprint: str | None = None
    versions: dict[str, str] = {}
    error: str | None = None

    cause: str | None = None
    """Leaf of the error tree, or why the step was skipped."""
    not_before: datetime | None = None
    document_key: str | None = None
    sha256: str | None = None

    def detail(self, name: str) -> Any:
        """One of the values that only this step writes; None where it did not."""
        return (self.model_extra or {}).get(name)


class Sidecar(BaseModel):
    """One sidecar; `attempts` counts the runs that came to an end, whatever the end was."""

    model_config = ConfigDict(frozen=True)

    video: Video
    steps: dict[StepName, StepRecord] = {}
    attempts: int = 0
    other: dict[str, Any] = Field(default_factory=dict)
    """Fields that this version does not know; they are kept."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The sidecar at `path`; None where there is none, or another program's file."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return cls.from_json(raw)

    @classmethod
    def from_json(cls, raw: Any) -> Self | None:
        """The sidecar in parsed JSON; None where it is not one."""
        if not isinstance(raw, dict):
            return None
        known = {field.alias or name for name, field in Video.model_fields.items()}
        known |= {"steps", "attempts"}
        try:
            return cls(
                video=Video.model_validate(raw),
                steps=raw.get("steps", {}),
                attempts=raw.get("attempts", 0),
                other={name: value for name, value in raw.items() if name not in known},
            )
        except ValidationError:
            return None

    def write(self, path: Path) -> None:
        """Write the sidecar, whole or not at all."""
        content: dict[str, Any] = self.video.model_dump(mode="json", by_alias=True)
        content |= self.other
        content["attempts"] = self.attempts
        content["steps"] = {name: _dumped(self.steps[name]) for name in STEPS if name in self.steps}
        atomic.write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")

    def is_done(self, step: StepName, fingerprint: str) -> bool:
        """Whether the step was done from the same input with the same settings."""
        record = self.steps.get(step)
        return record is not None and record.status == "done" and record.fingerprint == fingerprint

    def with_step(self, step: StepName, record: StepRecord) -> Self:
        """The sidecar with one step's record replaced."""
        return self.model_copy(update={"steps": {**self.steps, step: record}})


def now() -> datetime:
    """The time in UTC, in whole seconds as sidecars carry it."""
    return datetime.now(UTC).replace(microsecond=0)


def _dumped(record: StepRecord) -> dict[str, Any]:
    values = record.model_dump(mode="json")
    return {name: value for name, value in values.items() if name in _ALWAYS or value is not None}
