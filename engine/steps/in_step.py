"""Library and knowledge base in step: what differs, and mending it, transcript by transcript."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.errors import ConfigurationError, TonspurError
from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar
from engine.odin.client import OdinClient
from engine.odin.comparison import MENDED_BY_UPLOAD, Finding, Wanted, compared
from engine.odin.documents import document_name, sha256_of
from engine.odin.presence import with_metadata
from engine.odin.rendition import rendition
from engine.settings import Settings
from engine.steps.upload import description, home_project, upload


@dataclass(frozen=True)
class Comparison:
    """What was found, and the library's place of every video that was compared."""

    findings: list[Finding]
    entries: dict[str, Entry]


class Mending(BaseModel):
    """One thing that a repair does, would do (`planned`), or did."""

    model_config = ConfigDict(frozen=True)

    action: Literal["upload", "delete"]
    name: str
    why: str
    video_id: str | None = None
    document_key: str | None = None
    status: Literal["planned", "done", "deferred", "failed"] = "planned"
    reason: str | None = None


def compare(client: OdinClient, library: Library, settings: Settings) -> Comparison:
    """Every transcript of the library beside every document of the knowledge base.

    Transcripts that were delivered to another project are not looked for in this one.

    Raises:
        RefusedCredentials, ServiceTrouble, NetworkTrouble: ODIN AI does not answer.
    """
    entries: dict[str, Entry] = {}
    wanted = []
    for entry in library.entries():
        sidecar = Sidecar.read(entry.sidecar)
        if sidecar is None or "transcript" not in sidecar.steps or not entry.text.is_file():
            continue
        if home_project(sidecar) in (None, settings.odin_project_id):
            entries[entry.video_id] = entry
            wanted.append(_wanted(entry, sidecar, settings))
    found = (with_metadata(client, one) for one in client.documents(recursive=True))
    return Comparison(compared(wanted, found), entries)


def _wanted(entry: Entry, sidecar: Sidecar, settings: Settings) -> Wanted:
    name = document_name(entry.stem)
    delivered = sidecar.steps.get("upload")
    with rendition(entry.text, name, sidecar.video.address, settings) as text:
        metadata = description(sidecar, sha256_of(text), settings)
    return Wanted(name, metadata, delivered.document_key if delivered else None)


def plan(findings: Sequence[Finding], *, delete_left_over: bool = False) -> list[Mending]:
    """What would bring both in step: uploads first, so that nothing is deleted before its heir.

    Args:
        findings: of a comparison.
        delete_left_over: also delete transcripts of videos that this library does not have.
    """
    uploads = [_upload(one) for one in findings if one.kind in MENDED_BY_UPLOAD]
    doomed = [one for one in findings if one.kind == "doubled"]
    doomed += [one for one in findings if one.kind == "stale" and one.has_old_name]
    if delete_left_over:
        doomed += [one for one in findings if one.kind == "left over"]
    return uploads + [_deletion(one) for one in doomed]


def _upload(one: Finding) -> Mending:
    name = one.wanted_name or one.name
    return Mending(action="upload", name=name, why=one.kind, video_id=one.video_id)


def _deletion(one: Finding) -> Mending:
    return Mending(
        action="delete",
        name=one.name,
        why="under an old name" if one.has_old_name else one.kind,
        video_id=one.video_id,
        document_key=one.document_key,
    )


def mend(
    mendings: Sequence[Mending],
    comparison: Comparison,
    client: OdinClient,
    library: Library,
    settings: Settings,
    progress: Callable[[Mending], None] = lambda mending: None,
) -> Iterator[Mending]:
    """Do what was planned, one after the other; each comes back with what became of it.

    What stops a batch fails one and defers the others.
    """
    repair = _Repair(comparison, client, library, settings)
    stopped = ""
    for mending in mendings:
        if stopped:
            yield mending.model_copy(update={"status": "deferred", "reason": stopped})
            continue
        progress(mending)
        try:
            yield repair.of(mending)
        except TonspurError as error:
            yield mending.model_copy(update={"status": "failed", "reason": str(error)})
            if error.stops_batch or isinstance(error, ConfigurationError):
                stopped = f"not tried, the batch stopped: {error}"


@dataclass
class _Repair:
    comparison: Comparison
    client: OdinClient
    library: Library
    settings: Settings
    delivered: dict[str, str | None] = field(default_factory=dict)
    """Document keys of the transcripts that were seen to be there."""

    def of(self, mending: Mending) -> Mending:
        """Nothing is deleted before the transcript is known to be there, under its own name."""
        entry = self.comparison.entries.get(mending.video_id or "")
        key = self._delivery(entry) if entry else None
        if mending.action == "upload":
            return mending.model_copy(update={"status": "done", "document_key": key})
        if entry and mending.name == document_name(entry.stem):
            # its delivery removed what else had this name; a key may be that of the new one by now
            return mending.model_copy(update={"status": "done"})
        if not mending.document_key or mending.document_key == key:
            reason = "ODIN AI tells no key of its own to delete it by"
            return mending.model_copy(update={"status": "failed", "reason": reason})
        self.client.delete(mending.name, mending.document_key)
        return mending.model_copy(update={"status": "done"})

    def _delivery(self, entry: Entry) -> str | None:
        if entry.video_id not in self.delivered:
            with self.library.way(entry.video_id, entry.folder):
                upload(self.library, entry, self.settings, look_again=True)
            steps = self.library.read(entry).steps
            self.delivered[entry.video_id] = steps["upload"].document_key
        return self.delivered[entry.video_id]
