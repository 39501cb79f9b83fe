"""The list of channels that are synced by the clock."""

from collections.abc import Iterator

from deployments.channels import scheduled_channels
from deployments.checks import Check, fail, ok
from engine.errors import TonspurError
from engine.settings import Settings


def channels(settings: Settings) -> Iterator[Check]:
    """Whether the list of channels can be read."""
    file = settings.channels_file
    try:
        every = scheduled_channels(file)
    except (TonspurError, OSError, UnicodeDecodeError) as error:
        fix = f"Mend {file} or CHANNELS_FILE; the channels.yaml of deployments explains."
        yield fail("channels.yaml", str(error), fix)
    else:
        yield ok("channels.yaml", f"{file}, {len(every)} channels")
