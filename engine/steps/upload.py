"""Step 6: the transcript in the knowledge base, exactly once, until it is indexed."""

from collections.abc import Callable

from engine.library import locks
from engine.library.shelf import Entry, Library, written_at
from engine.library.sidecar import Sidecar
from engine.odin.client import OdinClient
from engine.odin.delivery import deliver
from engine.odin.documents import (
    DocumentMetadata,
    document_folder,
    document_name,
    metadata_of,
    sha256_of,
)
from engine.odin.rendition import rendition
from engine.odin.signature import signed
from engine.settings import Settings
from engine.steps.recording import fingerprint, recorded, versions

_PATIENCE_S = 900.0
"""For another process of this machine that sends the same document."""


def upload(
    library: Library,
    entry: Entry,
    settings: Settings,
    progress: Callable[[str], None] = lambda status: None,
    *,
    look_again: bool = False,
) -> None:
    """Deliver the transcript unless the same content was delivered to the same project.

    With `look_again` ODIN AI is asked all the same: somebody may have deleted the document.

    Raises:
        RefusedCredentials, RefusedDocument: ODIN AI does not take it.
        IndexingFailed, ServiceTrouble, NetworkTrouble: worth another try.
    """
    sidecar = library.read(entry)
    name = document_name(entry.stem)
    with rendition(entry.text, name, sidecar.video.address, settings) as text:
        sha256 = sha256_of(text)
        mark = fingerprint(sha256, settings.odin_base_url, settings.odin_project_id)
        if sidecar.is_done("upload", mark) and not look_again:
            return
        earlier = sidecar.steps.get("upload")
        with (
            locks.held(settings.locks_dir, "document", name, _PATIENCE_S),
            recorded(library, entry, "upload", mark, versions("httpx")) as details,
            OdinClient(settings) as client,
        ):
            delivered = deliver(
                client,
                text,
                name,
                description(sidecar, sha256, settings),
                document_folder(sidecar.video.channel_title),
                known_key=earlier.document_key if earlier else None,
                progress=progress,
            )
            details |= {"document_key": delivered.document_key, "sha256": delivered.sha256}
            details["project"] = settings.odin_project_id


def home_project(sidecar: Sidecar) -> str | None:
    """The ODIN project that has the document; None for what was not delivered, or long ago."""
    delivered = sidecar.steps.get("upload")
    project = delivered.detail("project") if delivered else None
    return project if isinstance(project, str) else None


def description(sidecar: Sidecar, sha256: str, settings: Settings) -> DocumentMetadata:
    """What travels with the transcript of a video."""
    said = sidecar.steps["transcript"]
    metadata = metadata_of(
        sidecar.video,
        sha256=sha256,
        language=said.detail("language"),
        model=said.detail("model"),
        preset=said.detail("preset"),
        duration_s=said.detail("duration_s"),
    )
    return signed(metadata, settings)


def skip(library: Library, entry: Entry, reason: str) -> None:
    """Record that the transcript was not to be uploaded; an earlier delivery stays on record."""
    done = library.read(entry).steps.get("upload")
    if done is None or done.status != "done":
        library.record(entry, "upload", written_at("skipped", cause=reason))
