"""ODIN AI's HTTP API, as far as Tonspur uses it."""

import mimetypes
import random as _random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from engine.errors import RefusedDocument
from engine.odin.credentials import require_credentials
from engine.odin.documents import DOCUMENT_TYPES, DocumentMetadata
from engine.odin.models import (
    Added,
    Chunks,
    Description,
    Document,
    Fetched,
    FetchedList,
    Page,
    ProjectCheck,
    ProjectList,
    SearchHit,
    SearchResults,
    Status,
)
from engine.odin.refusals import NotThere
from engine.odin.wire import QUESTION, TRIES, UPLOAD, Wire
from engine.settings import Settings

_PAGE = 100


class OdinClient:
    """One project's knowledge base; a context manager that closes its connections.

    Questions and deletions are repeated on trouble; an upload is sent once per call, and what to do
    about a lost answer is `engine.odin.delivery`'s business.

    Raises:
        MissingCredentials: at once, before anything is sent.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _random.random,
        timeout: httpx.Timeout = QUESTION,
        tries: int = TRIES,
    ) -> None:
        self._wire = Wire(
            settings.odin_base_url,
            require_credentials(settings),
            transport=transport,
            sleep=sleep,
            random=random,
            timeout=timeout,
            tries=tries,
        )
        self.hidden_in = self._wire.hidden_in
        """Takes key and secret out of a text that the server wrote."""
        self.project = settings.odin_project_id
        self._place = f"project/{quote(self.project, safe='')}"
        self.max_bytes = settings.odin_max_file_mb * 1024 * 1024

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def pause(self, tries: int, error: Exception | None = None) -> float:
        """Seconds to wait after so many failed tries, with jitter; heeds Retry-After."""
        return self._wire.pause(tries, error)

    def projects(self) -> ProjectCheck:
        """The cheapest check of key and secret.

        Raises:
            RefusedCredentials: they are wrong.
        """
        listed = self._wire.ask("GET", "/projects").as_a(ProjectList).projects
        ours = next((project for project in listed if project.id == self.project), None)
        return ProjectCheck(
            listed=len(listed), configured=ours is not None, name=ours.name if ours else None
        )

    def add_file(
        self,
        path: Path,
        name: str,
        metadata: DocumentMetadata,
        folder: str = "/",
        *,
        force: bool = False,
    ) -> Added:
        """Streams one file into the knowledge base; one attempt, whatever comes of it.

        Args:
            path: the file; read in pieces, never held in memory.
            name: the document's name, as `document_name` makes it.
            metadata: sent as JSON text.
            folder: its folder in ODIN; `/` is the root.
            force: replace a document of this name.

        Raises:
            RefusedDocument, DocumentTooLarge, RefusedCredentials: it was not taken.
            ServiceTrouble, NetworkTrouble: it may have been stored all the same: look first.
        """
        kind = DOCUMENT_TYPES.get(path.suffix.lower()) or _guessed(name)
        fields = {
            "project_id": self.project,
            "metadata": metadata.as_json(),
            "file_type": kind,
            "force": "true" if force else "false",
            "path": folder,
        }
        try:
            with path.open("rb") as file:
                reply = self._wire.once(
                    "POST",
                    "/v3/project/knowledge/add/file",
                    "/v2/project/knowledge/add/file",
                    data=fields,
                    files={"file": (name, file, kind)},
                    timeout=UPLOAD,
                )
        except OSError as error:
            raise RefusedDocument(f"{path.name} cannot be read: {error.strerror}.") from error
        return reply.as_a(Added)

    def documents(
        self,
        *,
        name_search: str | None = None,
        content_keys: Sequence[str] = (),
        path: str | None = None,
        recursive: bool = True,
    ) -> Iterator[Document]:
        """Every document that the filters let through, each once, page after page.

        Ends at the first page that brings nothing new: servers cap the page size at will, and one
        that ignores the page number must not be asked for ever.
        """
        seen: set[str] = set()
        question: dict[str, Any] = {"items_per_page": _PAGE, "recursive": recursive}
        if name_search is not None:
            question["name_search"] = name_search
        if content_keys:
            question["content_keys"] = list(content_keys)
        if path is not None:
            question["path"] = path
        for page in range(1, 100_000):
            reply = self._wire.ask(
                "POST",
                f"/v3/{self._place}/knowledgebase",
                f"/{self._place}/knowledgebase",
                json={**question, "page": page},
                params={"recursive": "true" if recursive else "false"},
            )
            fresh = []
            for document in reply.as_a(Page).docs:
                identity = document.key or f"{document.path}\0{document.name}"
                if identity not in seen:
                    seen.add(identity)
                    fresh.append(document)
            yield from fresh
            if not fresh:
                return

    def status(self, name: str) -> Status | None:
        """How far indexing is; None where the server has no such address or document."""
        try:
            return self._wire.ask(
                "GET",
                "/project/knowledge/status",
                params={"project_id": self.project, "file_name": name},
            ).as_a(Status)
        except NotThere:
            return None

    def chunks(self, content_key: str) -> int | None:
        """How many indexed pieces a document has; None where the server has no such address."""
        try:
            return (
                self._wire.ask(
                    "POST",
                    f"/{self._place}/document/chunks",
                    json={"content_key": content_key, "page": 1, "page_size": 10},
                )
                .as_a(Chunks)
                .count
            )
        except NotThere as error:
            return None if error.route_missing else 0

    def fetch(self, content_key: str) -> Fetched | None:
        """A document with its whole text; None where there is none."""
        try:
            answer = self._wire.ask(
                "POST",
                "/tools/kb/fetch_documents",
                json={"project_id": self.project, "content_keys": [content_key]},
            ).as_a(FetchedList)
        except NotThere:
            return None
        return next((one for one in answer.documents if one.content_key == content_key), None)

    def search(self, question: str, limit: int = 10) -> list[SearchHit]:
        """The passages that fit a question best, as ODIN AI ranks them; at most `limit`."""
        return (
            self._wire.ask(
                "POST",
                "/v2/project/search",
                "/project/search",
                json={"project_id": self.project, "query": question, "max_results": limit},
            )
            .as_a(SearchResults)
            .results[:limit]
        )

    def description(self) -> dict[str, Any]:
        """The live OpenAPI document; empty where the server shows none."""
        try:
            return self._wire.ask("GET", "/openapi.json").as_a(Description).root
        except NotThere:
            return {}

    def delete(self, name: str, key: str | None = None) -> None:
        """Deletes one document; with its key only that one among several of the same name.

        One that is gone already is no error: a repeated deletion meets that.
        """
        resource = {"name": name, "key": key} if key else {"name": name}
        try:
            self._wire.ask(
                "DELETE",
                "/project/knowledge/delete",
                json={"project_id": self.project, "resources": [resource]},
            )
        except NotThere as error:
            if error.route_missing:
                raise


def _guessed(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
