"""What the knowledge base has under a name."""

from collections.abc import Iterable

from engine.odin.client import OdinClient
from engine.odin.documents import DocumentMetadata
from engine.odin.models import BROKEN, DELETING, SYNCED, Document


def present(client: OdinClient, name: str) -> list[Document]:
    """All documents of exactly this name, with their metadata, in whatever folder.

    A search may find more than was asked for, or stumble over `_` and `-`; so it is filtered, and
    when it finds nothing the list of content keys is asked as well.
    """
    named = _exact(client, name, client.documents(name_search=name))
    return named or _exact(client, name, client.documents(content_keys=[name]))


def is_ours(one: Document, metadata: DocumentMetadata) -> bool:
    """Whether we may replace and delete it: it belongs to no other video."""
    return one.video_id in (None, metadata.video_id)


def kept(
    found: Iterable[Document],
    metadata: DocumentMetadata,
    known_key: str | None,
    stored_key: str | None = None,
) -> Document | None:
    """The document with our content that stays: an indexed one first, then the key we know.

    One without a hash counts when its key is that of an upload just accepted: a server that gives
    no metadata back must not be waited for until the deadline.
    """

    def has_our_content(one: Document) -> bool:
        if one.sha256 is None:
            return stored_key is not None and one.key == stored_key
        return one.sha256 == metadata.sha256

    same = [
        one
        for one in found
        if has_our_content(one) and one.status != DELETING and is_ours(one, metadata)
    ]
    return min(
        same,
        key=lambda one: (one.status in BROKEN, one.status != SYNCED, one.key != known_key),
        default=None,
    )


def with_metadata(client: OdinClient, one: Document) -> Document:
    """The listing may leave them out; the text's own address has them as well."""
    if one.sha256:
        return one
    fetched = client.fetch(one.name)
    told = fetched.metadata if fetched else {}
    return one.model_copy(update={"metadata": {**told, **one.metadata}})


def _exact(client: OdinClient, name: str, found: Iterable[Document]) -> list[Document]:
    return [with_metadata(client, one) for one in found if one.name == name]
