"""Transcribe: files that are dragged in, and addresses of videos; what is heard shows at once."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from console import arrivals, behind, opening, runs
from console.choice import Choice
from console.escaping import AT_WORK, DONE, FAILED, plain
from console.recordings import Recording, recordings
from engine.errors import TonspurError
from engine.library.local import MEDIA
from engine.library.shelf import Library
from engine.steps import marks
from engine.transcript import Segment, clock
from engine.whisper import shared
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
    asked = st.session_state.setdefault("asked-videos", {})
    _heard_now(choice, list(asked))
    runs.show(["process-video"], list(asked.values()))
    _over(list(asked), choice)


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

            asked = st.session_state.setdefault("asked-videos", {})
            for video_id in dict.fromkeys(wanted):
                asked[video_id] = orders.video(video_id, choice.job, upload=upload)
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
        st.markdown(f"{AT_WORK} {name} · {_said(recording)}")
        if recording.total_s:
            st.progress(min(recording.done_s / recording.total_s, 1.0))
        _segments(recording.latest)
        return
    icon = FAILED if outcome.status == "failed" else DONE
    reason = f" · {plain(outcome.reason)}" if outcome.reason else ""
    st.markdown(f"{icon} {name} · **{outcome.status}**{reason}")
    if outcome.video_id and outcome.transcript:
        read = st.button(
            f"Read {plain(recording.file.name)}",
            key=f"read-{place}",
            on_click=opening.open_video,
            args=(outcome.video_id,),
        )
        if read:
            st.rerun()  # a fragment alone cannot change the tab


@st.fragment(run_every=_EVERY_S)
def _heard_now(choice: Choice, asked: Sequence[str]) -> None:
    """What the machine's engine hears, whoever asked for it."""
    engine = shared.answering(choice.settings)
    now = engine.now() if engine else None
    if now is None or now.folder is None or not now.total_s:
        return
    with st.container(border=True):
        title = plain(_title_of(now.folder, asked, choice) or "another recording")
        said = f"{now.done_s:.0f} of {now.total_s:.0f} s of speech"
        st.markdown(f"{AT_WORK} Being heard: **{title}** · {said}")
        st.progress(min(now.done_s / now.total_s, 1.0))
        _segments(now.latest)


def _title_of(folder: str, asked: Sequence[str], choice: Choice) -> str | None:
    """The video whose prepared audio lies in this folder."""
    library = Library(choice.settings)
    for entry in filter(None, map(library.find, asked)):
        sidecar = library.read(entry)
        if marks.prepared_folder(sidecar, choice.settings).name == folder:
            return sidecar.video.title
    return None


@st.fragment(run_every=_EVERY_S)
def _over(asked: Sequence[str], choice: Choice) -> None:
    """What was asked for and can be read by now."""
    library = Library(choice.settings)
    for entry in filter(None, map(library.find, asked)):
        if not entry.text.is_file():
            continue
        name = plain(library.read(entry).video.title)
        read = st.button(
            f"Read {name}",
            key=f"read-{entry.video_id}",
            on_click=opening.open_video,
            args=(entry.video_id,),
        )
        if read:
            st.rerun()


def _segments(latest: Iterable[Segment]) -> None:
    for segment in latest:
        st.text(f"{clock(segment.start, segment.start >= 3600)}  {segment.text}")


def _said(recording: Recording) -> str:
    if not recording.total_s:
        return "waiting or being prepared"
    heard = f"{recording.done_s:.0f} of {recording.total_s:.0f} s of speech"
    if recording.speed is None or recording.left_s is None:
        return heard
    return f"{heard}, {recording.speed:.1f} × real time, {recording.left_s:.0f} s left"
