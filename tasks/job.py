"""What a run was asked for; settings and secrets are read where they are used, never passed."""

from dataclasses import dataclass
from typing import Any

from engine.library.shelf import Library
from engine.odin.signature import Signature
from engine.settings import MediaFormat, PresetName, Settings, load
from engine.whisper.checkpoints import check_name


@dataclass(frozen=True)
class Job:
    """The wishes of one run over the settings of the machine; None leaves a setting as it is.

    `media` that are asked for as MP3 or MP4 are kept, whatever `KEEP_MEDIA` says of others;
    `metadata` is what the documents say of who is behind them, `project` where they go in ODIN AI.
    """

    preset: PresetName | None = None
    model: str | None = None
    language: str | None = None
    media: MediaFormat | None = None
    metadata: Signature | None = None
    project: str | None = None

    def settings(self) -> Settings:
        """The machine's settings with these wishes.

        Raises:
            ConfigurationError: a wish or a setting cannot be used.
        """
        wishes: dict[str, object] = {
            "whisper_preset": self.preset,
            "whisper_model": self.model,
            "whisper_language": self.language,
            "yt_media_format": self.media,
            "keep_media": self.media not in (None, "best"),
            "odin_project_id": self.project,
        }
        signing = self.metadata.over_settings() if self.metadata else {}
        settings = load(**{name: wish for name, wish in wishes.items() if wish}, **signing)
        if settings.whisper_model:
            check_name(settings.whisper_model)
        return settings

    def library(self) -> Library:
        """The library of the machine's settings."""
        return Library(self.settings())

    def parameters(self) -> dict[str, Any]:
        """The wishes as parameters of a deployment run."""
        wishes: dict[str, Any] = {
            "preset": self.preset,
            "model": self.model,
            "language": self.language,
        }
        signing = self.metadata.model_dump(exclude_none=True) if self.metadata else None
        later = {"media": self.media, "metadata": signing, "project": self.project}
        # Runs are known by their parameters: those that were queued before there was a choice of
        # these would else be queued again.
        return wishes | {name: wish for name, wish in later.items() if wish}
