"""Stops what runs of Tonspur on this machine, whoever started it."""

import psutil

from deployments.foreground import card_name
from deployments.processes import stop_tree
from engine.errors import NoPermission
from engine.running import RunningCard, card_file
from engine.settings import Settings

# Who starts again what dies goes first, and the server last: the others report to it.
_IN_ORDER = (
    (card_name("worker"), "tonspur worker"),
    (card_name("up"), "tonspur up"),
    ("worker", "worker"),
    (card_name("engine"), "tonspur engine"),
    ("engine", "engine"),
    (card_name("server"), "tonspur server"),
    ("prefect-server", "Prefect server"),
)
_GRACE_SECONDS = 12.0
"""A command that stays needs up to ten to stop what it looks after."""


def stop_all(settings: Settings) -> list[str]:
    """Stop the processes of this STATE_DIR with all that they started; what they were.

    Raises:
        NoPermission: one is another user's.
    """
    stopped = []
    for name, called in _IN_ORDER:
        file = card_file(settings, name)
        card = RunningCard.read(file)
        if card is None:
            continue
        try:
            stop_tree(card.pid, _GRACE_SECONDS)
        except psutil.AccessDenied as error:
            raise NoPermission(f"The {called} (process {card.pid}) is another user's.") from error
        file.unlink(missing_ok=True)
        stopped.append(called)
    return stopped
