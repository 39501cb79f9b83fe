"""No secret in what the doctor says: the last look at every line before it is shown."""

import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from deployments.checks import Check

if TYPE_CHECKING:
    from engine.settings import Settings

_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
_SHORTEST = 6
"""Shorter ones would take letters out of plain words."""


def hidden(row: Check, settings: "Settings | None") -> Check:
    """The line without `user:password@` of addresses, and without any secret of the settings."""
    found, fix = (text and _IN_ADDRESS.sub("***@", text) for text in (row.found, row.fix))
    for secret in _secrets(settings) if settings else ():
        found, fix = (text and text.replace(secret, "***") for text in (found, fix))
    return row.model_copy(update={"found": found, "fix": fix})


def _secrets(settings: "Settings") -> list[str]:
    listed = [getattr(settings, name) for name in type(settings).model_fields]
    every = [one for one in listed if isinstance(one, SecretStr)] + list(settings.yt_api_keys)
    told = (one.get_secret_value() for one in every)
    return [secret for secret in told if len(secret) >= _SHORTEST]
