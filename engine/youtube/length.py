"""How long a media file really plays, whatever its header claims."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audio.probing import DEMUXERS, PROTOCOLS


@dataclass(frozen=True)
class Length:
    """Seconds up to the end of the sound, and of the longest track; equal without a picture.

    `lost_s`: sound that its packets promise and that cannot be heard, because they are damaged.
    """

    sound_s: float
    whole_s: float
    lost_s: float = 0.0

    def agrees(self, promised_s: float | None, tolerance_s: float) -> bool:
        """Whether one of the two is the promised length: a picture may outlast the sound."""
        if promised_s is None:
            return True
        return any(abs(s - promised_s) <= tolerance_s for s in (self.sound_s, self.whole_s))


def measured(path: Path) -> Length | None:
    """The length by the last packet of each track; None when the file is no media.

    The header of a file that was cut off still names the full length, so every packet is looked
    at; and bytes that are not the file's own keep its length, so the sound is decoded (an hour of
    m4a: about four seconds).
    """
    import av  # 20 MB that light processes do without

    allowed = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
    ends: dict[str, float] = {}
    first = 0.0
    heard = _Heard()
    try:
        with av.open(str(path.absolute()), options=allowed, metadata_errors="replace") as media:
            for packet in media.demux():
                start, end = _times(packet)
                first = min(first, start)
                kind = packet.stream.type
                ends[kind] = max(ends.get(kind, 0.0), end)
                if kind == "audio":
                    heard.take(packet)
    except (av.FFmpegError, UnicodeError):
        # What was readable counts: the end of a damaged file is where reading stops.
        pass
    whole = max(ends.values(), default=0.0) - first
    if whole <= 0:
        return None
    return Length(ends.get("audio", whole + first) - first, whole, heard.lost_s)


class _Heard:
    """Compares what the packets of the first sound track promise with what they give."""

    def __init__(self) -> None:
        self._track: int | None = None
        self._promised_s = 0.0
        self._given_s = 0.0

    @property
    def lost_s(self) -> float:
        return max(0.0, self._promised_s - self._given_s)

    def take(self, packet: Any) -> None:
        import av

        if self._track is None:
            self._track = packet.stream.index
        if packet.stream.index != self._track:
            return
        if packet.duration and packet.time_base is not None:
            self._promised_s += float(packet.duration * packet.time_base)
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        self._given_s += sum(frame.samples / frame.sample_rate for frame in frames)


def _times(packet: Any) -> tuple[float, float]:
    """Start and end in seconds; zeros for a packet that names none."""
    if packet.pts is None or packet.time_base is None:
        return 0.0, 0.0
    start = float(packet.pts * packet.time_base)
    return start, start + float((packet.duration or 0) * packet.time_base)
