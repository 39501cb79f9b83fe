"""Transcribe: files that are dragged in, and addresses of videos; what is heard shows at once."""

import re
from typing import Any

import streamlit as st

from console import arrivals, behind, opening, runs
from console.choice import Choice
from console.escaping import plain
from console.recordings import Recording, recordings
from engine.errors import TonspurError
from engine.library.local import MEDIA
from engine.library.shelf import Library
from engine.transcript import clock
from engine.youtube import addresses

_EVERY_S = 1


def show(choice: Choice) -> None:
    """The tab."""
    upload = not st.checkbox(
        "Keep the transcripts here",
        value=not choice.can_upload,
        disabled=not choice.can_upload,
        help="Without credentials of ODIN AI transcripts stay in the library.",
        key="transcribe-keep",
    )
    files, videos = st.columns(2)
    with files, st.form("files", clear_on_submit=True):
        dropped = st.file_uploader(
            "Recordings", sorted(MEDIA), accept_multiple_files=True, key="dropped"
        )
        if st.form_submit_button("Transcribe files", type="primary", width="stretch"):
            _take_in(dropped, choice, upload)
    with videos, st.form("videos", clear_on_submit=True):
        given = st.text_area("Videos", placeholder="Addresses or ids, one a line", key="addresses")
        if st.form_submit_button("Transcribe videos", type="primary", width="stretch"):
            _ask_for(given, choice, upload)
    _recordings()
    runs.show(["process-video"], list(st.session_state.setdefault("videos", [])))


def _take_in(dropped: Any, choice: Choice, upload: bool) -> None:
    library = Library(choice.settings)
    for file in dropped or ():
        try:
            recordings().add(arrivals.keep(file.name, file, library), choice.job, upload=upload)
        except TonspurError as error:
            st.error(f"{plain(file.name)}: {plain(str(error))}")


def _ask_for(given: str, choice: Choice, upload: bool) -> None:
    try:
        wanted = [addresses.video_id(line) for line in re.split(r"[\s,]+", given.strip()) if line]
        if not wanted:
            return
        with st.spinner("Starting …"):
            behind.station().ready()
            from console import orders

            asked = st.session_state.setdefault("videos", [])
            for video_id in dict.fromkeys(wanted):
                asked.append(orders.video(video_id, choice.job, upload=upload))
    except TonspurError as error:
        st.error(plain(str(error)))


@st.fragment(run_every=_EVERY_S)
def _recordings() -> None:
    every = recordings().every
    if not every:
        return
    st.subheader("Recordings", anchor=False)
    for place, recording in enumerate(every):
        with st.container(border=True):
            _recording(recording, place)
    if any(one.outcome for one in every) and st.button("Clear what is over"):
        recordings().forget_ended()
        st.rerun(scope="fragment")


def _recording(recording: Recording, place: int) -> None:
    name = f"**{plain(recording.file.name)}**"
    outcome = recording.outcome
    if outcome is None:
        st.markdown(f"⏳ {name} · {_said(recording)}")
        if recording.total_s:
            st.progress(min(recording.done_s / recording.total_s, 1.0))
        for segment in recording.latest:
            st.text(f"{clock(segment.start, segment.start >= 3600)}  {segment.text}")
        return
    icon = {"done": "✅", "skipped": "✅"}.get(outcome.status, "❌")
    reason = f" · {plain(outcome.reason)}" if outcome.reason else ""
    st.markdown(f"{icon} {name} · **{outcome.status}**{reason}")
    if outcome.video_id and outcome.transcript:
        st.button(
            "Read", key=f"read-{place}", on_click=opening.open_video, args=(outcome.video_id,)
        )


def _said(recording: Recording) -> str:
    if not recording.total_s:
        return "waiting or being prepared"
    heard = f"{recording.done_s:.0f} of {recording.total_s:.0f} s of speech"
    if recording.speed is None or recording.left_s is None:
        return heard
    return f"{heard}, {recording.speed:.1f} × real time, {recording.left_s:.0f} s left"
