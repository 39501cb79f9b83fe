"""Commands that stay until they are told to end, and are found again by `tonspur stop`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from engine.running import RunningCard, card_file
from engine.settings import Settings


def card_name(command: str) -> str:
    """Name of the card that a command leaves while it stays."""
    return f"tonspur-{command}"


@contextmanager
def staying(settings: Settings, command: str) -> Iterator[None]:
    """Leave a card meanwhile; SIGTERM ends the command with status 0, for it has done its work.

    A second command of the same name leaves the card of the first alone.
    """
    signal.signal(signal.SIGTERM, _end_well)
    card = card_file(settings, card_name(command))
    first = RunningCard.read(card) is None
    if first:
        RunningCard.of().write(card)
    try:
        yield
    finally:
        if first:
            card.unlink(missing_ok=True)


def _end_well(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
