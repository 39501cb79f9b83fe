"""Commands that stay until they are told to end, and are found again by `tonspur stop`."""

from collections.abc import Iterator
from contextlib import contextmanager

from deployments import interrupting
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
    interrupting.listen_for_the_end()
    card = card_file(settings, card_name(command))
    first = RunningCard.read(card) is None
    if first:
        RunningCard.of().write(card)
    try:
        yield
    finally:
        if first:
            card.unlink(missing_ok=True)
