"""How a run ends when its work did not: the state's name says why."""

import re
from enum import Enum
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import Deferred, Permanent, TonspurError, leaves


def ending(error: TonspurError) -> State[Any]:
    """The final state that stands for an error: deferred work is no failure."""
    if isinstance(error, Deferred) and not error.stops_batch:
        until = error.not_before.strftime("%Y-%m-%d %H:%M UTC")
        return Completed(name="Deferred", message=f"Not before {until}: {error}")
    sort = "Permanent" if isinstance(error, Permanent) else "Temporary"
    return Failed(name=f"{sort}: {cause(type(error))}", message=str(error))


def cause(leaf: type[TonspurError]) -> str:
    """The leaf's name in words: `MembersOnly` becomes `members only`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", leaf.__name__).lower()


Cause = Enum("Cause", {leaf.__name__: cause(leaf) for leaf in leaves()}, type=str)
"""Every cause of a failure, for a select box."""
