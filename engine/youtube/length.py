"""How long a media file really plays, whatever its header claims."""

from pathlib import Path

from engine.audio.probing import DEMUXERS, PROTOCOLS


def seconds(path: Path) -> float | None:
    """Seconds up to the end of the last packet; None when the file is no media.

    The header of a file that was cut off still names the full length, so every packet is looked
    at; nothing is decoded (an hour of m4a: under a second).
    """
    import av  # 20 MB that light processes do without

    allowed = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
    last: float | None = None
    first: float | None = None
    try:
        with av.open(str(path.absolute()), options=allowed, metadata_errors="replace") as media:
            for packet in media.demux():
                if packet.pts is None or packet.time_base is None:
                    continue
                start = float(packet.pts * packet.time_base)
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                first = start if first is None else min(first, start)
                last = end if last is None else max(last, end)
    except (av.FFmpegError, UnicodeError):
        # What was readable counts: the end of a damaged file is where reading stops.
        pass
    return None if last is None or first is None else last - min(first, 0.0)
