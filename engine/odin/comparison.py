"""Library and knowledge base side by side: what is missing, stale, doubled or left over."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.odin.documents import DocumentMetadata
from engine.odin.models import BROKEN, DELETING, SYNCED, Document

Kind = Literal[
    "in step", "indexing", "missing", "stale", "failed", "doubled", "left over", "foreign"
]
MENDED_BY_UPLOAD: tuple[Kind, ...] = ("missing", "stale", "failed")
OUT_OF_STEP: tuple[Kind, ...] = (*MENDED_BY_UPLOAD, "doubled")
"""What a repair mends unasked."""


@dataclass(frozen=True)
class Wanted:
    """A transcript of the library as the knowledge base should hold it.

    `known_key` is that of its last delivery.
    """

    name: str
    metadata: DocumentMetadata
    known_key: str | None = None


class Finding(BaseModel):
    """One document, or the lack of one.

    `doubled` is one too many beside a document that stays; `left over` is a transcript of a YouTube
    video that this library does not have; `foreign` is anything else, and never touched. `status`
    is ODIN AI's word.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    video_id: str | None = None
    document_key: str | None = None
    status: str | None = None
    wanted_name: str | None = Field(None, exclude=True)
    """What the transcript's document is to be called; None where there is no such transcript."""

    @property
    def has_old_name(self) -> bool:
        """Whether the transcript's document has another name by now."""
        return self.wanted_name is not None and self.name != self.wanted_name


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
    every = list(wanted)
    # the library may hold a video twice; then neither copy's document is the other's old one
    called = {(item.name, item.metadata.video_id) for item in every}
    for item in every:
        mine = [
            one
            for one in _belonging(item, by_name, by_video)
            if id(one) not in placed
            and (one.name == item.name or (one.name, one.video_id) not in called)
        ]
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
        video_id = item.metadata.video_id
        return [Finding(kind="missing", name=item.name, video_id=video_id, wanted_name=item.name)]
    ranked = sorted(mine, key=lambda one: _rank(one, item))
    first, others = ranked[0], ranked[1:]
    kind: Kind = "in step"
    if first.sha256 != item.metadata.sha256 or first.name != item.name:
        kind = "stale"
    elif first.status in BROKEN:
        kind = "failed"
    elif first.status not in (SYNCED, None):
        kind = "indexing"
    return [_finding(kind, first, item), *(_finding("doubled", one, item) for one in others)]


def _rank(one: Document, item: Wanted) -> tuple[bool, bool, bool, bool, str]:
    return (
        one.name != item.name,
        one.sha256 != item.metadata.sha256,
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


def _finding(kind: Kind, one: Document, item: Wanted | None = None) -> Finding:
    return Finding(
        kind=kind,
        name=one.name,
        video_id=item.metadata.video_id if item else one.video_id,
        document_key=one.key,
        status=one.status,
        wanted_name=item.name if item else None,
    )
