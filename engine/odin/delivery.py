"""One file into the knowledge base, exactly once, until it is indexed.

The listing is the truth. Before every upload and after every broken one it is asked what is there
under the name, and the next step follows from that: nothing to do, wait, upload, replace, remove a
double. So a lost answer, a run that died, or a second run end with one document all the same.
"""

import random as _random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import IndexingFailed, RefusedDocument, Temporary, TonspurError
from engine.odin.client import OdinClient
from engine.odin.documents import DocumentMetadata, require_acceptable, sha256_of
from engine.odin.models import BROKEN, DELETING, SYNCED, Added, Document
from engine.odin.presence import is_ours, kept, present
from engine.odin.refusals import NameTaken, one_line
from engine.odin.wire import plain

_UPLOADS = 4
_EMPTY_LOOKS = 4
_GRACE = 2
_OWN_LOOKS = 5


@dataclass(frozen=True)
class Delivered:
    """A document that ODIN AI has indexed; `already_there` where nothing had to be sent."""

    document_key: str
    sha256: str
    status: str
    already_there: bool


def deliver(
    client: OdinClient,
    path: Path,
    name: str,
    metadata: DocumentMetadata,
    folder: str = "/",
    *,
    known_key: str | None = None,
    deadline_s: float = 900.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float] = _random.random,
    progress: Callable[[str], None] = lambda status: None,
) -> Delivered:
    """Brings a file into the knowledge base and waits until it is indexed.

    Safe to run again after any end: what is there is not sent twice, changed content replaces the
    old one, and of several documents of this name one remains.

    Args:
        client: an open client.
        path: the file.
        name: its document name; the identity under which it is looked up.
        metadata: with `sha256`, the hash of the file's content.
        folder: its folder in ODIN.
        known_key: the key of an earlier delivery, preferred among doubles.
        deadline_s: seconds after which waiting ends.
        clock: monotonic seconds.
        sleep: waits for seconds.
        random: jitter, 0 to 1.
        progress: told each new status word.

    Raises:
        UnsupportedDocument, DocumentTooLarge, RefusedDocument: nothing was sent, or it was refused.
        RefusedCredentials: key and secret do not allow it.
        IndexingFailed: ODIN AI could not index it, or not within the deadline.
        ServiceTrouble, NetworkTrouble: still there after several tries.
    """
    require_acceptable(path, client.max_bytes)
    run = _Delivery(client, path, name, metadata, folder, known_key, progress)
    until = clock() + deadline_s
    pauses = _pauses()
    while True:
        done = run.step()
        if done is not None:
            return done
        if clock() >= until:
            if run.trouble is not None and run.stored is None:
                raise run.trouble
            raise IndexingFailed(f"{name} is still {run.seen} after {deadline_s:.0f} s.")
        if run.moved:
            pauses = _pauses()
        pause = run.asked_pause if run.asked_pause is not None else next(pauses)
        sleep(min(pause * (0.8 + 0.4 * random()), max(until - clock(), 0.0)))


def _pauses() -> Iterator[float]:
    """Seconds between two looks: quick at first, for short documents; never more than 60."""
    pause = 0.5
    while True:
        yield pause
        pause = min(pause * 2, 60.0)


@dataclass
class _Delivery:
    """What one delivery has seen and done; `step` looks once and does one thing."""

    client: OdinClient
    path: Path
    name: str
    metadata: DocumentMetadata
    folder: str
    known_key: str | None
    progress: Callable[[str], None]
    seen: str = "absent"
    moved: bool = False
    asked_pause: float | None = None
    uploads: int = 0
    stored: Added | None = None
    trouble: TonspurError | None = None
    grace: int = 0
    empty_looks: int = 0
    own_looks: int = 0
    key: str | None = None
    asked_to_go: set[str] = field(default_factory=set)

    def step(self) -> Delivered | None:
        """One look at the listing and what follows from it; None while there is more to do."""
        self.moved, self.asked_pause = False, None
        found = present(self.client, self.name)
        ours = kept(found, self.metadata, self.known_key, self.key)
        if ours is None:
            if self.stored is not None:
                self._note("not listed")
            elif any(one.status == DELETING for one in found):
                self._note(DELETING)
            else:
                self._upload(found)
            return None
        status = ours.status or self._status_alone()
        if status in BROKEN:
            self._again_or_fail(ours, found)
            return None
        if status != SYNCED:
            self._note(status or "without a status")
            return None
        if self._remove_others(found, ours) or self._has_own_to_come(found, ours):
            return None
        return self._verified(ours)

    def _status_alone(self) -> str | None:
        """For listings without status; where nobody tells, the chunks decide."""
        told = self.client.status(self.name)
        return told.status if told and told.status else SYNCED

    def _upload(self, found: list[Document]) -> None:
        if self.uploads == _UPLOADS:
            raise self.trouble or IndexingFailed(f"ODIN AI takes {self.name} but does not keep it.")
        if sha256_of(self.path) != self.metadata.sha256:
            raise RefusedDocument(f"{self.path.name} changed in the meantime; upload it again.")
        self.uploads += 1
        mine = any(is_ours(one, self.metadata) for one in found)
        # A second try replaces: the first may be stored and only not listed yet. What belongs to
        # another video is never replaced.
        force = mine or (self.uploads > 1 and not found)
        try:
            self.stored = self.client.add_file(
                self.path, self.name, self.metadata, self.folder, force=force
            )
        except NameTaken as error:
            if force or found:
                raise RefusedDocument(*error.args) from None
            self.trouble = RefusedDocument(*error.args)
        except Temporary as error:
            self.trouble = plain(error)
            self.asked_pause = self.client.pause(self.uploads, error)
        else:
            self.key = self.stored.document_key
            self._note(self.stored.status or "accepted")
        self.moved = True

    def _again_or_fail(self, ours: Document, found: list[Document]) -> None:
        """A broken one of an earlier run is replaced; our own is a failure, with its reason."""
        if self.grace > 0:
            self.grace -= 1
        elif self.stored is not None:
            said = self.client.hidden_in(one_line(ours.reason))
            reason = f": {said}" if said else ""
            raise IndexingFailed(f"ODIN AI could not index {self.name} ({ours.status}{reason}).")
        else:
            # The listing may show the old failure a little longer than it lasts.
            self.grace = _GRACE
            self._upload(found)

    def _remove_others(self, found: list[Document], ours: Document) -> bool:
        """Asks for the deletion of stale content and doubles; whether there were any."""
        others = {
            one.key: one
            for one in found
            if one.key is not None and one.key != ours.key and is_ours(one, self.metadata)
        }
        for key, other in others.items():
            if key not in self.asked_to_go and other.status != DELETING:
                self.asked_to_go.add(key)
                self.client.delete(self.name, key)
                # A server that deletes by name alone takes ours too: then it is sent again.
                self.stored = None
                self.key = None if self.key == key else self.key
        if others:
            self._note("doubled")
        return bool(others)

    def _has_own_to_come(self, found: list[Document], ours: Document) -> bool:
        """Whether what we sent may still show beside an earlier run's: then one of them must go."""
        is_handle = ours.key is not None and ours.key.startswith("_")
        if self.key is None or not is_handle or any(one.key == self.key for one in found):
            return False
        self.own_looks += 1
        self._note("not listed")
        return self.own_looks < _OWN_LOOKS

    def _verified(self, ours: Document) -> Delivered | None:
        """Synced counts only with text to find; a count may come a moment after the status."""
        if self.client.chunks(self.name) == 0:
            self.empty_looks += 1
            if self.empty_looks == _EMPTY_LOOKS:
                raise IndexingFailed(f"ODIN AI indexed {self.name}, but found no text in it.")
            self._note("without chunks")
            return None
        self._note(SYNCED)
        # An opaque id of the listing may be no handle; then the answer to the upload knows better.
        listed = ours.key if ours.key and ours.key.startswith("_") else None
        return Delivered(
            document_key=listed or self.key or self.known_key or ours.key or self.name,
            sha256=self.metadata.sha256,
            status=SYNCED,
            already_there=self.uploads == 0,
        )

    def _note(self, status: str) -> None:
        if status != self.seen:
            self.seen = status
            self.progress(status)
