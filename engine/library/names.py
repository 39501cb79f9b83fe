"""Names of folders and files that are valid on Windows and Linux and keep the video id whole."""

import html
import re
import unicodedata
from datetime import date, datetime

FOLDER_BYTES = 60
STEM_BYTES = 150
_SUFFIX_BYTES = 3  # room for `~99` behind the id

_FORBIDDEN = re.compile(r"[/\\:*?<>|\s]")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
_ID_AT_END = re.compile(r"_(?P<mark>(?P<id>[0-9A-Za-z_-]{11})(?:~\d+)?)")
_STEM = re.compile(r"\d{4}-\d{2}-\d{2}_.*" + _ID_AT_END.pattern, re.DOTALL)


def clean_title(title: str) -> str:
    """The title as a part of a file name: the predecessor's rule, and what that rule forgot.

    Entities are decoded, double quotes go, separators and blanks become `_`; umlauts, `%`, `~`, `&`
    and emoji stay. Control and unassigned characters go: NTFS refuses or shells mangle them.
    """
    text = unicodedata.normalize("NFC", html.unescape(title)).replace('"', "")
    text = _FORBIDDEN.sub("_", text)
    return "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cs", "Cn", "Co"})


def channel_folder(title: str) -> str:
    """A folder name of at most 60 bytes for a channel; never empty, hidden or reserved."""
    text = clean_title(title).replace("_", " ").strip(" .")
    text = " ".join(text.split())
    text = cut_bytes(text, FOLDER_BYTES - _SUFFIX_BYTES).strip(" .") or "Channel"
    return f"_{text}" if _RESERVED.fullmatch(text) else text


def stem(published: date | datetime, title: str, video_id: str, suffix: int = 0) -> str:
    """`YYYY-MM-DD_Title_videoId`, at most 150 bytes; the title gives way, never date or id.

    A datetime must be in UTC. `suffix` parts ids that differ in letter case only.
    """
    day = published.date() if isinstance(published, datetime) else published
    room = STEM_BYTES - len(day.isoformat()) - len(video_id.encode()) - 2 - _SUFFIX_BYTES
    cut = cut_bytes(clean_title(title), room)
    return f"{day.isoformat()}_{cut}_{video_id}" + (f"~{suffix}" if suffix else "")


def id_of(file_stem: str) -> str | None:
    """The video id in a stem that `stem` made; None for any other name."""
    found = _STEM.fullmatch(file_stem)
    return found["id"] if found else None


def mark_of(file_stem: str) -> str:
    """The id with its suffix in a stem that `stem` made; what tells it from all others."""
    found = _STEM.fullmatch(file_stem)
    return found["mark"] if found else ""


def cut_bytes(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` bytes of UTF-8 that ends in a whole character."""
    cut = text.encode("utf-8")[:limit].decode("utf-8", "ignore")
    if len(cut) < len(text):
        # a joiner or mark without what it joins shows as a box
        while cut and (unicodedata.combining(cut[-1]) or cut[-1] in "\u200d\ufe0f"):
            cut = cut[:-1]
    return cut
