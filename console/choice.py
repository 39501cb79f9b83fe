"""What the sidebar says: over the settings of the machine, for all that is started from here."""

from dataclasses import dataclass

from engine.settings import Settings
from tasks.job import Job


@dataclass(frozen=True)
class Choice:
    """The wishes, and the settings with them."""

    job: Job
    settings: Settings

    @property
    def can_upload(self) -> bool:
        """Whether the knowledge base can be reached at all."""
        return bool(self.settings.odin_api_key and self.settings.odin_api_secret)


def wish(chosen: str, of_the_machine: str | None) -> str | None:
    """None for what the machine would do anyway: runs are known by their wishes."""
    return None if chosen == of_the_machine else chosen
