"""What a document is called in ODIN AI, and what is told about it."""

import hashlib
import re
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from engine.errors import DocumentTooLarge, RefusedDocument, UnsupportedDocument
from engine.video import Video

DOCUMENT_TYPES: Final = MappingProxyType(
    {
        ".txt": "text/plain",
        ".md": "text/markdown",
        ".pdf": "application/pdf",
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".html": "text/html",
        ".json": "application/json",
        ".xml": "application/xml",
        ".csv": "text/csv",
        ".mp3": "audio/mpeg",
        ".mp4": "video/mp4",
    }
)
"""The ten types that ODIN AI takes, with their MIME types; not the system's table, which Windows
lets any program change."""

_SPELLED_OUT = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS",
        "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "å": "aa", "Å": "Aa",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
    }
)  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_STEM = 150
_KEPT_TAIL = 24
"""Characters at the end that cutting leaves alone: a video id with its suffix, or a hash."""


class DocumentMetadata(BaseModel):
    """What travels with a document; `sha256` is the hash of its content and proves what is there.

    The last five fields are those that the predecessor sent. Times are UTC, lengths in seconds.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    sha256: str
    channel: str | None = None
    url: str | None = None
    video_id: str | None = None
    published: datetime | None = None
    duration_s: float | None = None
    language: str | None = None
    model: str | None = None
    preset: str | None = None
    author_name: str = ""
    uploaded_by: str = "tonspur"
    added_by: str = "tonspur"
    category: str = "document"
    last_upload: date

    def as_json(self) -> str:
        """The text that is sent: pure ASCII, without the fields that are unknown."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True)


def metadata_of(
    video: Video,
    *,
    sha256: str,
    language: str | None = None,
    model: str | None = None,
    preset: str | None = None,
    duration_s: float | None = None,
    today: date | None = None,
) -> DocumentMetadata:
    """The metadata of one video's transcript.

    Args:
        video: what is known about the video.
        sha256: hash of the file that is uploaded, as `sha256_of` gives it.
        language: of the speech, a code.
        model: the checkpoint that heard it.
        preset: the preset it ran with.
        duration_s: measured length in seconds; unset: the promised one.
        today: day of the upload (UTC).
    """
    return DocumentMetadata(
        title=video.title,
        sha256=sha256,
        channel=video.channel_title,
        url=video.address,
        video_id=video.video_id,
        published=video.published_at,
        duration_s=duration_s if duration_s is not None else video.duration_s,
        language=language,
        model=model,
        preset=preset,
        author_name=video.channel_title or "",
        category="transcript",
        last_upload=today or datetime.now(UTC).date(),
    )


def document_name(stem: str, extension: str = ".txt") -> str:
    """The name of a document: ASCII letters, digits, `.`, `_`, `-` only.

    Umlauts are spelled out, accents dropped, all else becomes `_`; a stem longer than 150
    characters is cut before its last 24, where the video id stands whole.
    """
    safe = _ascii(stem).lstrip(".") or "document"
    if len(safe) > _LONGEST_STEM:
        safe = safe[: _LONGEST_STEM - _KEPT_TAIL] + safe[-_KEPT_TAIL:]
    return safe + extension.lower()


def document_folder(channel_title: str | None) -> str:
    """The folder of a channel in ODIN; the root where there is no channel."""
    safe = _ascii(channel_title or "").strip("._-")[:60]
    return f"/{safe}" if safe else "/"


def sha256_of(path: Path) -> str:
    """Hash of a file's content, hexadecimal; read in pieces.

    Raises:
        RefusedDocument: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RefusedDocument(f"{path.name} cannot be read: {error.strerror}.") from error


def require_acceptable(path: Path, max_bytes: int) -> None:
    """Refuses, before a byte is sent, what ODIN AI would not take.

    Raises:
        UnsupportedDocument: not one of the ten types.
        DocumentTooLarge: larger than `max_bytes`.
        RefusedDocument: empty, missing or no file.
    """
    if path.suffix.lower() not in DOCUMENT_TYPES:
        kinds = ", ".join(kind.removeprefix(".") for kind in DOCUMENT_TYPES)
        raise UnsupportedDocument(f"{path.name}: ODIN AI takes {kinds} only.")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RefusedDocument(f"{path.name} cannot be read: {error.strerror}.") from error
    if not path.is_file():
        raise RefusedDocument(f"{path.name} is no file.")
    if size == 0:
        raise RefusedDocument(f"{path.name} is empty.")
    if size > max_bytes:
        mib = 1024 * 1024
        raise DocumentTooLarge(
            f"{path.name} has {size / mib:.1f} MB, more than ODIN_MAX_FILE_MB = {max_bytes // mib}."
        )


def _ascii(text: str) -> str:
    spelled = unicodedata.normalize("NFC", text).translate(_SPELLED_OUT)
    parted = unicodedata.normalize("NFKD", spelled)
    bare = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return _UNSAFE.sub("_", bare)
