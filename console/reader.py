"""One transcript beside its player: a click on a line jumps there."""

import mimetypes
from pathlib import Path
from typing import Any

import streamlit as st

from console import opening
from console.choice import Choice
from console.escaping import plain
from console.lines import Spoken, lines
from console.opening import Opened
from engine.library.shelf import MEDIA_EXTENSIONS, Entry, Library
from engine.library.sidecar import Sidecar
from engine.transcript import FORMS, Transcript

_PLAYED_MB = 300
"""Streamlit holds what it plays in memory."""
_MIMES = {".m4a": "audio/mp4", ".opus": "audio/ogg", ".mka": "audio/webm"}


def show(opened: Opened, choice: Choice) -> None:
    """The transcript, its player, its files."""
    st.button("← Library", on_click=opening.close)
    library = Library(choice.settings)
    entry = library.find(opened.video_id)
    sidecar = Sidecar.read(entry.sidecar) if entry else None
    if entry is None or sidecar is None or not entry.transcript.is_file():
        st.warning("Its transcript is not in the library any more.")
        return
    heard = Transcript.model_validate_json(entry.transcript.read_bytes())
    video = sidecar.video
    title = f"[{plain(video.title)}]({video.address})" if video.address else plain(video.title)
    st.subheader(title, anchor=False)
    facts = (video.channel_title, f"{video.published_at:%Y-%m-%d}", heard.language, heard.model)
    st.caption(" · ".join(plain(fact) for fact in facts if fact))
    player, text = st.columns([2, 3])
    with player:
        _player(entry, sidecar, opened.start_s)
        _downloads(entry)
    with text:
        if not heard.segments:
            st.info("Nobody speaks in it.")
        spoken = [Spoken(one.start, one.end, one.text) for one in heard.segments]
        jumped = lines(spoken, opened.start_s, key=f"lines-{opened.video_id}")
    if jumped is not None and jumped != opened.start_s:
        opening.open_video(opened.video_id, jumped)
        st.rerun()


def media_of(entry: Entry, sidecar: Sidecar) -> Path | None:
    """The recording of a transcript, if it is still there."""
    download = sidecar.steps.get("download")
    told = download.detail("media") if download else None
    named = [Path(told)] if isinstance(told, str) else []
    beside = [entry.file(extension) for extension in MEDIA_EXTENSIONS]
    return next((file for file in (*named, *beside) if file.is_file()), None)


def _player(entry: Entry, sidecar: Sidecar, start_s: float) -> None:
    media = media_of(entry, sidecar)
    if media is None:
        if sidecar.video.address:
            st.video(sidecar.video.address, start_time=int(start_s))
        else:
            st.info("The recording is not there any more.")
        return
    if media.stat().st_size > _PLAYED_MB * 1_000_000:
        st.info(f"Larger than {_PLAYED_MB} MB: play `{media}` yourself.")
        return
    kind = _MIMES.get(media.suffix.lower()) or mimetypes.guess_type(media.name)[0] or "audio/mpeg"
    play: Any = st.video if kind.startswith("video/") else st.audio
    play(str(media), format=kind, start_time=int(start_s))


def _downloads(entry: Entry) -> None:
    names = {".txt": "TXT", ".srt": "SRT", ".vtt": "VTT", ".transcript.json": "JSON"}
    with st.container(horizontal=True):
        for extension in FORMS:
            file = entry.file(extension)
            if file.is_file():
                st.download_button(
                    names[extension], file.read_bytes(), file.name, on_click="ignore"
                )
