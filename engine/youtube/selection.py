"""Which videos of a channel are wanted."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.errors import BadAddress, BadSettings
from engine.youtube import addresses

_FIRST_DAY = date(2005, 1, 1)  # before YouTube; Windows has no local time before 1970
_LAST_DAY = date(2100, 1, 1)


Take = Literal["with", "without", "only"]


class Selection(BaseModel):
    """Nothing chosen: what is new since the newest video in the library.

    At most one of `latest`, `most_viewed`, `playlist` and `everything`; `since` and `until` narrow
    each of them, or stand alone. Days are those of the user's time zone, both included. The fields
    from `published_after` on choose nothing, they narrow whatever is chosen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latest: int | None = Field(default=None, ge=1, description="The newest so many videos.")
    since: date | None = Field(default=None, description="Published on this day or later.")
    until: date | None = Field(default=None, description="Published on this day or earlier.")
    most_viewed: int | None = Field(default=None, ge=1, description="So many with the most views.")
    playlist: str | None = Field(default=None, description="Address or id of a playlist.")
    everything: bool = Field(default=False, description="All videos of the channel.")

    published_after: date | None = Field(default=None, description="Nothing older than this day.")
    shorts: Take = Field(default="with", description="Shorts too, no Shorts, or only they.")
    streams: Take = Field(default="with", description="Recorded live streams too, none, or only.")
    shortest: float | None = Field(
        default=None, ge=0, description="Seconds that it lasts at least."
    )
    longest: float | None = Field(default=None, gt=0, description="Seconds that it lasts at most.")
    title: str | None = Field(default=None, description="Regular expression for its title.")

    @field_validator("playlist")
    @classmethod
    def _is_playlist(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        try:
            return addresses.playlist(value).playlist_id
        except BadAddress as error:
            raise ValueError(str(error)) from None

    @field_validator("title")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            re.compile(value, re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"“{value}” is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        chosen = {
            "latest": self.latest,
            "most viewed": self.most_viewed,
            "playlist": self.playlist,
            "all": self.everything,
        }
        named = [name for name, value in chosen.items() if value]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} exclude each other: choose one")
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}")
        if self.shorts == self.streams == "only":
            raise ValueError("only Shorts and only streams exclude each other: choose one")
        if self.shortest and self.longest and self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest:g} is more than longest {self.longest:g}")
        return self

    @property
    def is_default(self) -> bool:
        """Whether nothing is chosen."""
        choices = (self.latest, self.since, self.until, self.most_viewed, self.playlist)
        return not any(choices) and not self.everything

    @property
    def filters(self) -> dict[str, Any]:
        """The fields that leave single videos out, by name."""
        return self.model_dump(include={"shorts", "streams", "shortest", "longest", "title"})


def choose(**values: Any) -> Selection:
    """The selection of these values.

    Raises:
        BadSettings: they cannot go together; the message says which.
    """
    try:
        return Selection(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]).replace("_", "-") + ": " if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise BadSettings(f"{name}{said}.") from None


@dataclass(frozen=True)
class Window:
    """From `start` (included) to `end` (excluded), UTC; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime | None) -> bool:
        """Whether the moment is inside; an unknown one is only where nothing is asked."""
        if at is None:
            return self.start is None and self.end is None
        return not self.is_before(at) and (self.end is None or at < self.end)

    def is_before(self, at: datetime | None) -> bool:
        """Whether the moment is known, and before the start."""
        return at is not None and self.start is not None and at < self.start


def window(selection: Selection, zone: tzinfo | None = None) -> Window:
    """The selection's days as moments.

    Args:
        selection: its `since`, `until` and `published_after`.
        zone: the user's; None takes the one that the system is set to.
    """
    days = [day for day in (selection.since, selection.published_after) if day]
    start = _midnight(_clamped(max(days)), zone) if days else None
    last = _clamped(selection.until) + timedelta(days=1) if selection.until else None
    return Window(start, _midnight(last, zone) if last else None)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    # `astimezone` of a naive time asks the system, which knows that day's summer time.
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _clamped(day: date) -> date:
    return min(max(day, _FIRST_DAY), _LAST_DAY)
