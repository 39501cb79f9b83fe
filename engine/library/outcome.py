"""What became of one item, as the command line prints it."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.library.shelf import Entry
from engine.library.sidecar import STEPS, Sidecar, StepRecord

Status = Literal["done", "skipped", "deferred", "failed", "planned"]


class Outcome(BaseModel):
    """One line of `--json`; seconds, and null for what is not there."""

    model_config = ConfigDict(frozen=True)

    video_id: str | None = None
    title: str | None = None
    status: Status
    reason: str | None = None
    transcript: Path | None = None
    duration_s: float | None = None
    speech_s: float | None = None
    engine_s: float | None = None
    load_s: float | None = None
    language: str | None = None
    model: str | None = None
    device: str | None = None
    document_key: str | None = None


def outcome(entry: Entry, sidecar: Sidecar, *, fresh: bool = True) -> Outcome:
    """What the sidecar says of a video; `fresh` is False when there was nothing left to do."""
    status, reason = _verdict(sidecar, fresh)
    said = sidecar.steps.get("transcript")
    sent = sidecar.steps.get("upload")

    def number(name: str) -> float | None:
        value = said.detail(name) if said else None
        return float(value) if value is not None else None

    def word(name: str) -> str | None:
        value = said.detail(name) if said else None
        return str(value) if value is not None else None

    return Outcome(
        video_id=entry.video_id,
        title=sidecar.video.title,
        status=status,
        reason=reason,
        transcript=entry.text if entry.text.is_file() else None,
        duration_s=number("duration_s"),
        speech_s=number("speech_s"),
        engine_s=number("engine_s"),
        load_s=number("load_s"),
        language=word("language"),
        model=word("model"),
        device=word("device"),
        document_key=sent.document_key if sent else None,
    )


def _verdict(sidecar: Sidecar, fresh: bool) -> tuple[Status, str | None]:
    for step in STEPS:
        record = sidecar.steps.get(step)
        if record and record.status in ("failed", "deferred"):
            return ("failed" if record.status == "failed" else "deferred"), record.error
    if "write" not in sidecar.steps:
        return "deferred", "not processed yet"
    if not fresh:
        return "skipped", "already done"
    return "done", _remark(sidecar.steps.get("transcript"), sidecar.steps.get("upload"))


def _remark(said: StepRecord | None, sent: StepRecord | None) -> str | None:
    remarks = [said.cause if said else None]
    if sent and sent.status == "skipped":
        remarks.append(f"upload skipped: {sent.cause}")
    return "; ".join(r for r in remarks if r) or None
