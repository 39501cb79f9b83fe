"""ODIN AI: key, secret and project."""

from collections.abc import Iterator

import httpx

from deployments.checks import Check, warn
from deployments.knowledge_base import access as asked
from engine.errors import BadSettings, MissingCredentials
from engine.odin.client import OdinClient
from engine.odin.credentials import require_credentials
from engine.settings import Settings

_SECONDS = 5.0


def access(settings: Settings) -> Iterator[Check]:
    """Whether the project opens with what is set."""
    try:
        require_credentials(settings)
    except MissingCredentials:
        fix = "Set ODIN_API_KEY and ODIN_API_SECRET, or say --no-upload."
        yield warn("ODIN AI", "no credentials: transcripts stay here", fix)
        return
    except BadSettings as error:
        yield Check(check="ODIN AI", status="fail", found=str(error), fix="Mend ODIN_API_KEY.")
        return
    with OdinClient(settings, timeout=httpx.Timeout(_SECONDS), tries=1) as client:
        yield asked(client).model_copy(update={"check": "ODIN AI"})
