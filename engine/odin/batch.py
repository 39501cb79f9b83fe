"""Files and folders into the knowledge base, one row for each file."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.errors import ConfigurationError, TonspurError
from engine.library import locks
from engine.odin.client import OdinClient
from engine.odin.credentials import require_credentials
from engine.odin.delivery import deliver
from engine.odin.documents import (
    DocumentMetadata,
    document_folder,
    document_name,
    metadata_of,
    require_acceptable,
    sha256_of,
)
from engine.odin.receipts import Receipts, path_hash
from engine.odin.rendition import rendition
from engine.odin.selection import chosen_files, json_object, sidecar_of
from engine.odin.signature import signed
from engine.settings import Settings


class UploadRow(BaseModel):
    """What became of one file; null for what there is nothing to say of."""

    model_config = ConfigDict(frozen=True)

    path: Path
    status: Literal["done", "skipped", "deferred", "failed"]
    reason: str | None = None
    document_key: str | None = None


def upload_documents(
    paths: Sequence[Path],
    settings: Settings,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    client: OdinClient | None = None,
    deadline_s: float = 900.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[Path, str], None] = lambda path, status: None,
) -> Iterator[UploadRow]:
    """Uploads the documents among the paths, one after the other; the rows come as they end.

    A transcript with Tonspur's sidecar becomes the same document that the pipeline makes of it. Any
    other file is called after its stem and eight digits of a hash of its full path, so that files
    of one name in different folders stay apart and a changed file replaces its old content.

    Args:
        paths: files and folders.
        settings: where to, how large a file may be, what documents say about themselves.
        include: patterns such as `*.pdf`; of a folder's files only those that match one.
        exclude: patterns; of a folder's files none that matches one.
        client: an open client; unset: one for this batch.
        deadline_s: seconds to wait for each document's indexing.
        clock: monotonic seconds.
        sleep: waits for seconds.
        progress: told each new status word of each file.

    Raises:
        MissingCredentials, BadSettings: at once, before anything happens.
    """
    require_credentials(settings)

    def one(path: Path, client: OdinClient, receipts: Receipts) -> UploadRow:
        require_acceptable(path, client.max_bytes)
        known = receipts.of(path)
        with (
            _document_of(path, settings) as document,
            locks.held(settings.locks_dir, "document", document.name, deadline_s),
        ):
            delivered = deliver(
                client,
                document.content,
                document.name,
                document.metadata,
                document.folder,
                known_key=known.document_key if known else None,
                deadline_s=deadline_s,
                clock=clock,
                sleep=sleep,
                progress=lambda status: progress(path, status),
            )
        receipts.keep(path, delivered.sha256, delivered.document_key)
        key = delivered.document_key
        if delivered.already_there:
            return UploadRow(path=path, status="skipped", reason="already there", document_key=key)
        return UploadRow(path=path, status="done", document_key=key)

    def rows() -> Iterator[UploadRow]:
        receipts = Receipts(settings)
        stopped = ""
        with ExitStack() as stack:
            odin = client or stack.enter_context(OdinClient(settings, sleep=sleep))
            for chosen in chosen_files(paths, include, exclude):
                if chosen.refused:
                    yield UploadRow(path=chosen.path, status="failed", reason=chosen.refused)
                    continue
                if stopped:
                    yield UploadRow(path=chosen.path, status="deferred", reason=stopped)
                    continue
                try:
                    yield one(chosen.path, odin, receipts)
                except TonspurError as error:
                    yield UploadRow(path=chosen.path, status="failed", reason=str(error))
                    if error.stops_batch or isinstance(error, ConfigurationError):
                        stopped = f"not tried, the batch stopped: {error}"

    return rows()


@dataclass(frozen=True)
class _DocumentOf:
    content: Path
    name: str
    folder: str
    metadata: DocumentMetadata


@contextmanager
def _document_of(path: Path, settings: Settings) -> Iterator[_DocumentOf]:
    video = sidecar_of(path)
    if video is None:
        today = datetime.now(UTC).date()
        metadata = DocumentMetadata(title=path.stem, sha256=sha256_of(path), last_upload=today)
        apart = f"{path.stem}-{path_hash(path)[:8]}"
        name = document_name(apart, path.suffix)
        yield _DocumentOf(path, name, "/", signed(metadata, settings))
        return
    heard = json_object(path.with_suffix(".transcript.json"))
    name = document_name(path.stem)
    with rendition(path, name, video.address, settings) as text:
        metadata = metadata_of(
            video,
            sha256=sha256_of(text),
            language=_text(heard.get("language")),
            model=_text(heard.get("model")),
            preset=_text(heard.get("preset")),
        )
        folder = document_folder(video.channel_title)
        yield _DocumentOf(text, name, folder, signed(metadata, settings))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
