"""Faults by chance: each request to ODIN AI meets one with a probability, by a seed."""

import random
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from sandbox.faults import ODIN_PATHS, Fault

KINDS: Final[Mapping[str, Fault]] = {
    "lost": Fault(lost_answer=True),
    "delayed": Fault(delay_s=0.7),
    "cut": Fault(cut_after=20),
    "hung up": Fault(hangs_up=True),
    "429": Fault(status=429, body={"detail": "Too many requests"}),
    "429 with Retry-After": Fault(status=429, headers={"Retry-After": "1"}),
    "500": Fault(status=500, body={"detail": "Internal Server Error"}),
    "502": Fault(status=502),
}
"""What may happen, all equally likely."""


class Chances(BaseModel):
    """How likely a request meets one of the kinds, and the seed that decides which."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    rate: float = Field(ge=0, le=1)


def drawn(chances: Chances, number: int, path: str) -> str | None:
    """The kind that strikes the request with this number; None for none.

    The same seed, number and path give the same answer.
    """
    if not path.startswith(ODIN_PATHS):
        return None
    dice = random.Random(f"{chances.seed}:{number}")  # noqa: S311  # nothing secret
    return dice.choice(list(KINDS)) if dice.random() < chances.rate else None
