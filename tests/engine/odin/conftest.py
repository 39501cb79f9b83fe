"""A knowledge base on a real socket, with every fault that a test wants to order."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine import settings as settings_module
from engine.library.shelf import Entry, Library, written_at
from engine.odin import OdinClient
from engine.settings import Settings
from engine.steps.write import write
from engine.transcript import Segment, Transcript
from engine.video import Video

KEY, SECRET, PROJECT = "key-0123456789", "secret-9876543210", "proj1"


@dataclass
class Fault:
    """Answers the next requests whose path holds `where`, in place of the real answer."""

    where: str
    status: int = 500
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stores: bool = False
    hangs_up: bool = False
    times: int = 1


@dataclass
class KnowledgeBase:
    """State and behaviour of the server; a test reads and bends it."""

    docs: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    uploads: list[dict[str, Any]] = field(default_factory=list)
    looks_until_synced: int = 1
    becomes: str = "synced"
    page_cap: int = 30
    gone_routes: set[str] = field(default_factory=set)
    chunks: Callable[[str], dict[str, Any]] = lambda name: {"chunks": ["text"], "total_chunks": 1}
    search_is_blind: bool = False
    deletes_by_name: bool = False
    force_makes_doubles: bool = False
    conflicts: bool = False
    forgets_metadata: bool = False
    hides_next_looks: int = 0
    lags: int = 0
    ignores_paging: bool = False
    bytes_read: int = 0
    discard: bool = False
    url: str = ""

    def order(self, where: str, **fault: Any) -> None:
        self.faults.append(Fault(where, **fault))

    def count(self, where: str) -> int:
        return sum(where in path for _, path, _ in self.requests)

    def add(self, name: str, *, status: str = "synced", key: str | None = None, **metadata: Any):
        key = key or f"_{PROJECT}_{name.replace('.', '_').replace('-', '_')}"
        doc = {"id": key, "content_key": name, "status": status, "metadata": metadata, "looks": 0}
        self.docs.append(doc)
        return doc

    def stored(self, fields: dict[str, str], name: str) -> tuple[int, Any]:
        self.uploads.append({**fields, "name": name})
        force = fields.get("force") == "true"
        same = [doc for doc in self.docs if doc["content_key"] == name]
        if same and self.conflicts and not force:
            return 409, {"detail": "exists"}
        if force and not self.force_makes_doubles:
            self.docs = [doc for doc in self.docs if doc["content_key"] != name]
            same = []
        metadata = {} if self.forgets_metadata else json.loads(fields["metadata"])
        key = f"_{PROJECT}_{len(self.uploads)}" if same else None
        doc = self.add(name, status="queued", key=key, **metadata)
        doc["hidden"] = self.lags
        return 200, {
            "message": "ok", "content": "", "document_data": {}, "document_key": doc["id"],
            "status": "queued", "novel": 1,
        }  # fmt: skip

    def listing(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.hides_next_looks > 0:
            self.hides_next_looks -= 1
            return {"docs": [], "folders": None, "kb_info": {}}
        search, keys = body.get("name_search"), body.get("content_keys")
        hits = [
            doc
            for doc in self.docs
            if (not search or (search in doc["content_key"] and not self.search_is_blind))
            and (not keys or doc["content_key"] in keys)
        ]
        for doc in hits:
            doc["hidden"] = doc.get("hidden", 0) - 1
        hits = [doc for doc in hits if doc["hidden"] < 0]
        for doc in hits:
            doc["looks"] += 1
            if doc["status"] == "queued" and doc["looks"] > self.looks_until_synced:
                doc["status"] = self.becomes
        size = min(body.get("items_per_page", 30), self.page_cap)
        start = 0 if self.ignores_paging else (body["page"] - 1) * size
        return {"docs": hits[start : start + size], "folders": None, "kb_info": {}}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        for resource in body["resources"]:
            self.docs = [
                doc
                for doc in self.docs
                if doc["content_key"] != resource["name"]
                or ("key" in resource and not self.deletes_by_name and doc["id"] != resource["key"])
            ]
        return {"message": "deleted"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    kb: KnowledgeBase

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _read(self) -> bytes:
        left = int(self.headers.get("Content-Length") or 0)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raise AssertionError("an upload must name its length")
        pieces = []
        while left:
            piece = self.rfile.read(min(left, 1 << 16))
            if not piece:
                break
            left -= len(piece)
            self.kb.bytes_read += len(piece)
            if not self.kb.discard:
                pieces.append(piece)
        return b"".join(pieces)

    def _fault(self, path: str) -> Fault | None:
        for fault in self.kb.faults:
            if fault.where in path and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _handle(self) -> None:
        path = urlsplit(self.path).path
        raw = self._read()
        content = self._parsed(raw)
        self.kb.requests.append((self.command, path, content))
        fault = self._fault(path)
        if fault:
            if fault.stores:
                self._route(path, content)
            if fault.hangs_up:
                self.close_connection = True
                return
            self._answer(fault.status, fault.body, fault.headers)
            return
        if (self.headers["X-API-KEY"], self.headers["X-API-SECRET"]) != (KEY, SECRET):
            self._answer(401, b'{"detail": "Invalid API key"}')
            return
        status, answer = self._route(path, content)
        self._answer(status, json.dumps(answer).encode())

    def _parsed(self, raw: bytes) -> Any:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/") and raw:
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            return BytesParser(policy=policy.HTTP).parsebytes(head + raw)
        return json.loads(raw) if raw else {}

    def _route(self, path: str, content: Any) -> tuple[int, Any]:
        kb = self.kb
        if any(path.startswith(route) for route in kb.gone_routes):
            return 404, {"detail": "Not Found"}
        if path.endswith("/knowledge/add/file"):
            return self._add(content)
        if path.endswith("/knowledgebase"):
            return 200, kb.listing(content)
        if path == "/project/knowledge/delete":
            return 200, kb.delete(content)
        if path == "/project/knowledge/status":
            name = parse_qs(urlsplit(self.path).query)["file_name"][0]
            found = [doc for doc in kb.docs if doc["content_key"] == name]
            return (200, {"status": "synced"}) if found else (404, {"detail": "no such document"})
        if path.endswith("/document/chunks"):
            name = content["content_key"]
            found = any(doc["content_key"] == name for doc in kb.docs)
            return (200, kb.chunks(name)) if found else (404, {"detail": "no such document"})
        if path == "/tools/kb/fetch_documents":
            docs = [
                {"content_key": doc["content_key"], "content": "words", "metadata": doc["metadata"]}
                for doc in kb.docs
                if doc["content_key"] in content["content_keys"]
            ]
            return 200, {"documents": docs}
        if path == "/projects":
            mine = {"id": PROJECT, "name": "Talks", "members": [], "api_keys": ["sk-hidden"]}
            return 200, {"projects": [mine]}
        return 404, {"detail": "Not Found"}

    def _add(self, form: Any) -> tuple[int, Any]:
        if self.kb.discard:
            return 200, {"message": "ok", "document_key": "_big"}
        fields, name = {}, ""
        for part in form.iter_parts():
            field_name = part.get_param("name", header="content-disposition")
            if field_name == "file":
                name = part.get_filename()
                fields["file"] = part.get_payload(decode=True)
                fields["mime"] = part.get_content_type()
            else:
                fields[field_name] = part.get_payload(decode=True).decode()
        return self.kb.stored(fields, name)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815


@pytest.fixture
def kb() -> Iterator[KnowledgeBase]:
    base = KnowledgeBase()
    handler = type("Handler", (_Handler,), {"kb": base})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    base.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield base
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(kb: KnowledgeBase) -> Settings:
    return settings_module.load(
        odin_api_key=KEY,
        odin_api_secret=SECRET,
        odin_base_url=kb.url,
        odin_project_id=PROJECT,
    )


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def still() -> Time:
    return Time()


@pytest.fixture
def client(settings: Settings, still: Time) -> Iterator[OdinClient]:
    with OdinClient(settings, sleep=still.sleep, random=lambda: 0.5) as odin:
        yield odin


@pytest.fixture
def shelved() -> Callable[[Settings], tuple[Library, Entry]]:
    """Puts a video whose transcript is written into a library."""

    def place(settings: Settings) -> tuple[Library, Entry]:
        library = Library(settings)
        published = datetime(2026, 1, 1, tzinfo=UTC)
        entry = library.place(Video(video_id="aaaaaaaaaa1", published_at=published, title="Talk"))
        heard = Transcript(
            language="en",
            duration_s=9,
            model="m",
            preset="p",
            segments=(Segment(start=0, end=1, text="Hello."),),
        )
        entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
        library.record(entry, "transcript", written_at("done"))
        write(library, entry)
        return library, entry

    return place
