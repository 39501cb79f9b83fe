"""Who stands behind a document: what the settings say, and what one run says instead."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import BadSettings
from engine.odin.documents import DocumentMetadata
from engine.settings import Settings


class Signature(BaseModel):
    """Metadata that a run gives to its documents; null leaves a field to the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    author_name: str | None = Field(None, description="The channel if empty.")
    uploaded_by: str | None = None
    added_by: str | None = None
    category: str | None = Field(None, description="transcript or document if empty.")

    def over_settings(self) -> dict[str, str]:
        """The fields that are given, by the names of their settings."""
        return {f"odin_{name}": value for name, value in self if value}


def signature(pairs: Sequence[str] | None) -> Signature | None:
    """A signature from texts such as `category=lecture`; None without any.

    Raises:
        BadSettings: a text is no such pair, or its name is none of the four.
    """
    given = {}
    for pair in pairs or ():
        name, joint, value = pair.partition("=")
        if not joint or name.strip() not in Signature.model_fields:
            known = ", ".join(Signature.model_fields)
            raise BadSettings(f"--metadata {pair}: write NAME=VALUE with one of {known}.")
        given[name.strip()] = value.strip()
    return Signature(**given) if given else None


def signed(metadata: DocumentMetadata, settings: Settings) -> DocumentMetadata:
    """The metadata with what the settings say of author, uploader and category."""
    return metadata.model_copy(
        update={
            "author_name": settings.odin_author_name or metadata.author_name,
            "uploaded_by": settings.odin_uploaded_by,
            "added_by": settings.odin_added_by,
            "category": settings.odin_category or metadata.category,
        }
    )
