"""What ODIN AI answers; unknown fields and unknown status words are taken as they come."""

import json
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, RootModel

SYNCED: Final = "synced"
DELETING: Final = "deleting"
BROKEN: Final = frozenset({"failed", "timeout"})
"""Status words that no waiting changes."""


def _word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else None


def _mapping(value: object) -> object:
    """Metadata come as an object, as JSON text, or not at all."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    return value if isinstance(value, dict) else {}


def _list(value: object) -> object:
    return value or []


StatusWord = Annotated[str | None, BeforeValidator(_word)]
Metadata = Annotated[dict[str, Any], BeforeValidator(_mapping)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    @property
    def reason(self) -> str:
        """What the server says went wrong, where it says so at all."""
        extra = self.model_extra or {}
        named = (extra.get(name) for name in ("error", "reason", "message", "detail"))
        return next((text for text in named if isinstance(text, str) and text), "")


class Added(_Answer):
    """The answer to an upload: accepted, not yet indexed."""

    document_key: str | None = None
    status: StatusWord = None


class Status(_Answer):
    """How far the indexing of one document is."""

    status: StatusWord = None


class Document(_Answer):
    """One line of the listing."""

    id: str | None = None
    content_key: str | None = None
    document_id: str | None = None
    document_key: str | None = None
    upload_date: Any = None
    doc_type: str | None = None
    url: str | None = None
    status: StatusWord = None
    path: str | None = None
    metadata: Metadata = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file name: the last part of the content key, else of the URL."""
        return PurePosixPath(self.content_key or self.url or "").name

    @property
    def key(self) -> str | None:
        """The handle that deletes it; the field that holds it differs between versions."""
        named = (self.document_key, self.id, self.document_id)
        known = [key for key in named if key]
        return next((key for key in known if key.startswith("_")), known[0] if known else None)

    @property
    def sha256(self) -> str | None:
        """Hash of the content as Tonspur stored it; None for documents of others."""
        value = self.metadata.get("sha256")
        return value if isinstance(value, str) else None

    @property
    def video_id(self) -> str | None:
        """The video it belongs to, as Tonspur stored it."""
        value = self.metadata.get("video_id")
        return value if isinstance(value, str) else None


class Page(_Answer):
    """One page of the listing."""

    docs: Annotated[list[Document], BeforeValidator(_list)] = Field(default_factory=list)


class Chunks(_Answer):
    """The indexed pieces: plain texts or objects with `content`."""

    chunks: Annotated[list[Any], BeforeValidator(_list)] = Field(default_factory=list)
    total_chunks: int | None = None

    @property
    def count(self) -> int:
        """How many there are in all; a page of them is at least as many."""
        return max(self.total_chunks or 0, len(self.chunks))


class Fetched(_Answer):
    """One document with its text."""

    content_key: str | None = None
    content: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class FetchedList(_Answer):
    """The answer of fetch_documents."""

    documents: Annotated[list[Fetched], BeforeValidator(_list)] = Field(default_factory=list)


def _number(value: object) -> object:
    try:
        return float(value)  # type: ignore[arg-type]  # whatever it is, a number or none
    except (TypeError, ValueError):
        return None


class SearchHit(_Answer):
    """A passage that a search found; its shape is documented nowhere, so several names are known.

    `score` is the server's own measure, None where it tells none.
    """

    document_key: str | None = Field(None, validation_alias=AliasChoices("document_key", "key"))
    content_key: str | None = Field(
        None, validation_alias=AliasChoices("content_key", "document_name", "name", "url")
    )
    text: str = Field("", validation_alias=AliasChoices("content", "text", "chunk_text", "snippet"))
    score: Annotated[float | None, BeforeValidator(_number)] = Field(
        None, validation_alias=AliasChoices("score", "relevance", "similarity")
    )
    metadata: Metadata = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The document's file name."""
        return PurePosixPath(self.content_key or "").name

    @property
    def video_id(self) -> str | None:
        """The video it belongs to, as Tonspur stored it."""
        value = self.metadata.get("video_id")
        return value if isinstance(value, str) else None


class SearchResults(_Answer):
    """The answer of a search."""

    results: Annotated[list[SearchHit], BeforeValidator(_list)] = Field(default_factory=list)


class Description(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


class Project(BaseModel):
    """Two fields of a project; the rest may hold keys and is not even parsed."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    id: str | None = None
    name: str | None = None


class ProjectList(BaseModel):
    """The answer of /projects, without what may be secret."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    projects: list[Project] = Field(default_factory=list)


class ProjectCheck(BaseModel):
    """What the credentials reach: how many projects, and whether the configured one is there."""

    model_config = ConfigDict(frozen=True)

    listed: int
    configured: bool
    name: str | None = None
