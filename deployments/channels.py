"""The channels that are synced by the clock: `channels.yaml`, and a deployment for each."""

import re
import zoneinfo
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from deployments.registration import SCHEDULED_QUEUE, Clock, Wanted
from deployments.worker import WORK_POOL
from engine.errors import BadAddress, BadSettings
from engine.odin.signature import Signature
from engine.settings import MediaFormat, PresetName
from engine.youtube import addresses
from engine.youtube.selection import Selection
from flows.channel_sync import channel_sync

TAG = "scheduled-channel"
"""Marks the deployments that this file made, so that one that left it is removed."""
_ENTRYPOINT = "flows.channel_sync.channel_sync"
_FIELDS = 5


class ScheduledChannel(BaseModel):
    """One entry: a channel, when it is synced, and what is asked for each time.

    Without `slug` it is called after its address. `active: false` keeps it without a schedule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    cron: str
    timezone: str = "UTC"
    slug: str = Field("", pattern=r"^[a-z0-9-]{0,60}$")
    active: bool = True
    selection: Selection = Selection()
    backlog_cap: int | None = Field(None, ge=1)
    preset: PresetName | None = None
    model: str | None = None
    language: str | None = None
    media: MediaFormat | None = None
    metadata: Signature | None = None
    project: str | None = None
    upload: bool = True

    @field_validator("channel")
    @classmethod
    def _is_channel(cls, value: str) -> str:
        try:
            addresses.channel(value)
        except BadAddress as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        from prefect.client.schemas.schedules import CronSchedule

        if len(value.split()) != _FIELDS:
            raise ValueError(f"“{value}” has to be five fields: minute hour day month weekday")
        CronSchedule(cron=value)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(f"“{value}” is no time zone such as Europe/Berlin")
        return value

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("slug") and given.get("channel"):
            return {**given, "slug": slug_of(str(given["channel"]))}
        return given

    def wanted(self) -> Wanted:
        """Its deployment."""
        return Wanted(
            flow=channel_sync,
            name=self.slug,
            entrypoint=_ENTRYPOINT,
            pool=WORK_POOL,
            queue=SCHEDULED_QUEUE,
            description=f"{self.channel}, by the clock.",
            tags=(TAG,),
            parameters=self.parameters(),
            clock=Clock(self.cron, self.timezone) if self.active else None,
            alone=True,
        )

    def parameters(self) -> dict[str, Any]:
        """What its runs are given; what is not said is left to the machine's settings."""
        said = self.selection.model_dump(mode="json", exclude_defaults=True)
        own = {"backlog_cap", "preset", "model", "language", "media", "metadata", "project"}
        said |= self.model_dump(mode="json", include=own, exclude_none=True)
        return {"channel": self.channel, **said, "upload": self.upload}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channels: tuple[ScheduledChannel, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "_File":
        slugs = [entry.slug for entry in self.channels]
        twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
        if twice:
            raise ValueError(f"two entries are called {twice[0]}: give one a `slug` of its own")
        return self


def scheduled_channels(file: Path) -> tuple[ScheduledChannel, ...]:
    """The entries of the file; none where there is no file.

    Raises:
        BadSettings: an entry cannot be used; the message says which and why.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return _File.model_validate(content or {}).channels
    except FileNotFoundError:
        return ()
    except yaml.YAMLError as error:
        raise BadSettings(f"{file.name} is no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise BadSettings(f"{file.name}: {place}: {said}." if place else f"{said}.") from None


def slug_of(address: str) -> str:
    """A name for a deployment: the channel's handle, name or id in small letters and dashes."""
    with suppress(BadAddress):
        address = addresses.channel(address).value
    return re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-")[:60] or "channel"
