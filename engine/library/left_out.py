"""What a sync left out, kept beside the videos, so that the next one need not ask again."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from engine.library import atomic

FILE = "left-out.json"


class LeftOut(BaseModel):
    """One video: why it was left out, and when (UTC) that is to be looked at again."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    video_id: str
    title: str
    published_at: datetime
    duration: str | None = None
    status: Literal["skipped", "deferred"]
    reason: str | None = None
    look_again: datetime


class _File(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    asked_as: str
    videos: tuple[LeftOut, ...] = ()


def read(folder: Path, asked_as: str, now: datetime) -> Mapping[str, LeftOut]:
    """What was left out of the same question and need not be looked at yet, by video id.

    Args:
        folder: the channel's.
        asked_as: a fingerprint of all that the reasons depend on; another one finds nothing.
        now: the present, in UTC.
    """
    try:
        kept = _File.model_validate_json((folder / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}
    if kept.asked_as != asked_as:
        return {}
    return {item.video_id: item for item in kept.videos if now < item.look_again}


def keep(folder: Path, asked_as: str, items: Iterable[LeftOut], now: datetime) -> None:
    """Keep these too, and forget what is to be looked at again or was asked otherwise."""
    every = {**read(folder, asked_as, now), **{item.video_id: item for item in items}}
    ordered = sorted(every.values(), key=lambda item: (item.published_at, item.video_id))
    kept = _File(asked_as=asked_as, videos=tuple(ordered))
    content = kept.model_dump(mode="json", by_alias=True)
    atomic.write_text(folder / FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
