"""Library and knowledge base side by side: what is missing, stale, doubled or left over."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.odin.documents import DocumentMetadata
from engine.odin.models import BROKEN, DELETING, SYNCED, Document

Kind = Literal[
    "in step", "indexing", "missing", "stale", "failed", "doubled", "left over", "foreign"
]
MENDED_BY_UPLOAD: tuple[Kind, ...] = ("missing", "stale", "failed")
MENDED_BY_DELETION: tuple[Kind, ...] = ("doubled", "left over")


@dataclass(frozen=True)
class Wanted:
    """A transcript of the library as the knowledge base should hold it.

    `known_key` is that of its last delivery.
    """

    name: str
    metadata: DocumentMetadata
    known_key: str | None = None


@dataclass(frozen=True)
class Finding:
    """One document, or the lack of one.

    `doubled` is one too many beside a document that stays; `left over` is a transcript of a YouTube
    video that this library does not have; `foreign` is anything else, and never touched.
    """

    kind: Kind
    name: str
    video_id: str | None = None
    document_key: str | None = None
    status: str | None = None


def compared(wanted: Iterable[Wanted], found: Iterable[Document]) -> list[Finding]:
    """One finding for each transcript, and one for each document that belongs to none.

    Args:
        wanted: every transcript of the library.
        found: every document of the knowledge base, with its metadata.
    """
    documents = [one for one in found if one.status != DELETING]
    by_name: dict[str, list[Document]] = defaultdict(list)
    by_video: dict[str, list[Document]] = defaultdict(list)
    for one in documents:
        by_name[one.name].append(one)
        if one.video_id and _is_tonspurs(one):
            by_video[one.video_id].append(one)
    findings: list[Finding] = []
    placed: set[int] = set()
    for item in wanted:
        mine = _belonging(item, by_name, by_video)
        placed.update(id(one) for one in mine)
        findings += _of_one(item, mine)
    rest = [one for one in documents if id(one) not in placed]
    return findings + [_finding("left over" if _is_left_over(o) else "foreign", o) for o in rest]


def _belonging(
    item: Wanted, by_name: Mapping[str, list[Document]], by_video: Mapping[str, list[Document]]
) -> list[Document]:
    """The documents of one transcript; a title that was changed leaves one under its old name."""
    video_id = item.metadata.video_id
    named = [one for one in by_name.get(item.name, ()) if one.video_id in (None, video_id)]
    moved = by_video.get(video_id, []) if video_id else []
    return named + [one for one in moved if all(one is not other for other in named)]


def _of_one(item: Wanted, mine: list[Document]) -> list[Finding]:
    if not mine:
        return [Finding("missing", item.name, item.metadata.video_id)]
    ranked = sorted(mine, key=lambda one: _rank(one, item))
    first, others = ranked[0], ranked[1:]
    kind: Kind = "in step"
    if first.sha256 != item.metadata.sha256 or first.name != item.name:
        kind = "stale"
    elif first.status in BROKEN:
        kind = "failed"
    elif first.status not in (SYNCED, None):
        kind = "indexing"
    surplus = [_finding("doubled", one) for one in others if _is_tonspurs(one)]
    return [_finding(kind, first, item.metadata.video_id), *surplus]


def _rank(one: Document, item: Wanted) -> tuple[bool, bool, bool, bool, str]:
    return (
        one.sha256 != item.metadata.sha256,
        one.name != item.name,
        one.status != SYNCED,
        one.key != item.known_key,
        one.key or "",
    )


def _is_tonspurs(one: Document) -> bool:
    """Tonspur's documents carry the hash of their content and the video that they are of."""
    return one.sha256 is not None and one.video_id is not None


def _is_left_over(one: Document) -> bool:
    """Transcripts of local recordings may lie beside their media, outside of the library."""
    return _is_tonspurs(one) and bool(one.metadata.get("url"))


def _finding(kind: Kind, one: Document, video_id: str | None = None) -> Finding:
    return Finding(kind, one.name, one.video_id or video_id, one.key, one.status)
