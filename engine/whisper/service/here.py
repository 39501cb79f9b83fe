"""What a route needs of its process."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from engine.settings import Settings
from engine.whisper.service.desk import Desk


@dataclass(frozen=True)
class Place:
    """The desk and the settings of this engine."""

    desk: Desk
    settings: Settings


def _here(request: Request) -> Place:
    place: Place = request.app.state.place
    return place


Here = Annotated[Place, Depends(_here)]
"""The place, for a route's signature."""
