"""Signs of a missing end that ffmpeg passes over in silence, because it trusts the file's size."""

import struct
from pathlib import Path

_UNKNOWN = 0xFFFFFF00  # programs that write into a pipe leave a size near the highest one
_TAIL_BYTES = 1 << 17  # two Ogg pages at their largest


def is_missing(path: Path) -> bool:
    """Whether the bytes themselves say that the end is missing; False for most formats.

    A RIFF file (WAV, AVI) tells its size in bytes, the last page of an Ogg file carries a mark.
    """
    with path.open("rb") as file:
        head = file.read(12)
        size = file.seek(0, 2)
        if head[:4] == b"RIFF" and len(head) == 12:
            promised: int = struct.unpack("<I", head[4:8])[0]
            return size < promised + 8 - promised % 2 and promised < _UNKNOWN
        if head[:4] == b"OggS":
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
            flags = tail[tail.rfind(b"OggS") + 5 :][:1]
            return not flags or not flags[0] & 4
    return False
