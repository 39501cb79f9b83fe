"""The knowledge base on disk: per document its bytes and a JSON of what is known about it."""

import hashlib
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from engine.library.atomic import replacing, write_text

TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".html": "text/html",
    ".csv": "text/csv",
    ".json": "application/json",
    ".xml": "application/xml",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
}
"""The ten kinds of documents that are taken."""

_BINARY = {".pdf", ".docx", ".mp3", ".mp4"}
_CHUNK_WORDS = 120
_BLOCK = 1024 * 1024


def ending(name: str) -> str:
    """The extension of a document's name, which need not be a path: `.txt` has one too."""
    _, dot, last = name.rpartition(".")
    return (dot + last).lower()


class Document(BaseModel):
    """One document. Times are epoch seconds, sizes bytes."""

    model_config = ConfigDict(frozen=True)

    id: str
    project_id: str
    name: str
    key: str
    path: str
    doc_type: str
    size: int
    sha256: str
    metadata: dict[str, Any]
    created_at: float
    uploaded_at: float
    ready_at: float
    fate: str
    blob: str

    def status(self, now: float) -> str:
        """queued, then syncing, then its fate, which is `synced` unless a fault said otherwise."""
        if now >= self.ready_at:
            return self.fate
        waited = (now - self.uploaded_at) / (self.ready_at - self.uploaded_at)
        return "queued" if waited < 0.3 else "syncing"


class Incoming(BaseModel):
    """What an upload says about its file."""

    model_config = ConfigDict(frozen=True)

    project_id: str
    name: str
    path: str
    metadata: dict[str, Any]
    force: bool
    indexing_s: float
    fate: str


class Documents:
    """Every document of every project; what was acknowledged survives a kill."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Document] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("*/*.json")):
            document = Document.model_validate_json(file.read_text(encoding="utf-8"))
            self._known[document.id] = document
        kept = {self._blob(document) for document in self._known.values()}
        for stray in folder.glob("*/*.bin"):
            if stray not in kept:
                stray.unlink()

    def now(self) -> float:
        """The clock that statuses are read by."""
        return self._clock()

    def add(self, incoming: Incoming, file: IO[bytes]) -> Document:
        """Stores a file; with `force` in place of one of the same name and path, else beside it."""
        home = self._folder / quote(incoming.project_id, safe="")
        blob = f"{uuid.uuid4().hex}.bin"
        digest, size = hashlib.sha256(), 0
        with replacing(home / blob) as draft, draft.open("wb") as out:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                out.write(block)
        with self._lock:
            old = self._twin(incoming) if incoming.force else None
            now = self._clock()
            document = Document(
                id=old.id if old else uuid.uuid4().hex,
                project_id=incoming.project_id,
                name=incoming.name,
                key=old.key if old else self._free_key(incoming),
                path=incoming.path,
                doc_type=TYPES[ending(incoming.name)],
                size=size,
                sha256=digest.hexdigest(),
                metadata=incoming.metadata,
                created_at=old.created_at if old else now,
                uploaded_at=now,
                ready_at=now + incoming.indexing_s,
                fate=incoming.fate,
                blob=blob,
            )
            self._keep(document)
            if old:
                self._blob(old).unlink(missing_ok=True)
        return document

    def of(self, project_id: str) -> list[Document]:
        """A project's documents, the oldest first."""
        with self._lock:
            mine = [known for known in self._known.values() if known.project_id == project_id]
        return sorted(mine, key=lambda document: (document.created_at, document.key))

    def every(self) -> list[Document]:
        """The documents of all projects."""
        with self._lock:
            return list(self._known.values())

    def named(self, project_id: str, content_key: str) -> Document | None:
        """The oldest document that goes by this key or file name."""
        mine = self.of(project_id)
        by_key = [document for document in mine if document.key == content_key]
        return next(iter(by_key or (d for d in mine if d.name == content_key)), None)

    def describe(self, document: Document, metadata: dict[str, Any]) -> Document:
        """Replaces a document's metadata."""
        with self._lock:
            changed = document.model_copy(update={"metadata": metadata})
            self._keep(changed)
        return changed

    def remove(self, documents: Iterable[Document]) -> None:
        """Deletes documents."""
        with self._lock:
            for document in documents:
                self._known.pop(document.id, None)
                self._note(document).unlink(missing_ok=True)
                self._blob(document).unlink(missing_ok=True)

    def text(self, document: Document) -> str:
        """What can be read of it; of sound and of printed pages only the name."""
        if ending(document.name) in _BINARY:
            return f"[{document.name}]"
        try:
            return self._blob(document).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:  # removed since it was looked up
            return ""

    def content(self, document: Document) -> bytes:
        """Its bytes as they were uploaded."""
        return self._blob(document).read_bytes()

    def chunks(self, document: Document) -> list[str]:
        """Its text in pieces; none until it is synced."""
        if document.status(self._clock()) != "synced":
            return []
        words = re.findall(r"\S+\s*", self.text(document))
        starts = range(0, len(words), _CHUNK_WORDS)
        return ["".join(words[at : at + _CHUNK_WORDS]).strip() for at in starts]

    def _twin(self, incoming: Incoming) -> Document | None:
        for known in self._known.values():
            if (known.project_id, known.name, known.path) == (
                incoming.project_id,
                incoming.name,
                incoming.path,
            ):
                return known
        return None

    def _free_key(self, incoming: Incoming) -> str:
        stem = f"_{incoming.project_id}_" + re.sub(r"[.-]", "_", incoming.name)
        taken = {known.key for known in self._known.values()}
        key, number = stem, 1
        while key in taken:
            number += 1
            key = f"{stem}_{number}"
        return key

    def _keep(self, document: Document) -> None:
        write_text(self._note(document), document.model_dump_json(indent=1))
        self._known[document.id] = document

    def _note(self, document: Document) -> Path:
        return self._folder / quote(document.project_id, safe="") / f"{document.id}.json"

    def _blob(self, document: Document) -> Path:
        return self._folder / quote(document.project_id, safe="") / document.blob
