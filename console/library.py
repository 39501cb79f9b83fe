"""Library: where something was said, every video with its state, and failures with advice."""

from datetime import UTC, date, datetime, time

import streamlit as st

from console import behind, opening, reader
from console.choice import Choice
from console.escaping import plain
from engine.errors import TonspurError
from engine.library.shelf import Library
from engine.search import BadQuery, Hit, search
from engine.settings import Settings
from engine.steps.status import VideoStatus, statuses
from engine.transcript import clock

_FRESH_S = 10
_HITS = 20
_STATES = ("done", "waiting", "deferred", "failed")


def show(choice: Choice) -> None:
    """The tab: one transcript, or the way to it."""
    if opened := opening.opened():
        reader.show(opened, choice)
        return
    _search(choice.settings)
    every = _every(str(choice.settings.library_dir))
    if not every:
        st.info("The library is empty: transcribe a file, or sync a channel.")
        return
    _list(every)
    _failures([video for video in every if video.state == "failed"], choice)


@st.cache_data(ttl=_FRESH_S, show_spinner="Reading the library …")
def _every(root: str) -> list[VideoStatus]:
    from engine.settings import load

    return list(statuses(Library(load(library_dir=root))))


def _search(settings: Settings) -> None:
    text = st.text_input(
        "Where was it said?", placeholder='Words, "a phrase", begin*', key="search"
    )
    if not text:
        return
    try:
        hits = search(settings, text, _HITS)
    except (BadQuery, TonspurError) as error:
        st.error(plain(str(error)))
        return
    if not hits:
        st.info("Nobody says that in this library.")
    for place, hit in enumerate(hits):
        _hit(hit, place)


def _hit(hit: Hit, place: int) -> None:
    at = clock(hit.start_s, hit.start_s >= 3600)
    with st.container(border=True):
        st.markdown(f"**{plain(hit.title)}** · {plain(hit.channel or '')}")
        st.text(hit.text)
        st.button(
            f"Read at {at}",
            key=f"hit-{place}",
            on_click=opening.open_video,
            args=(hit.video_id, hit.start_s),
        )


def _list(every: list[VideoStatus]) -> None:
    left, middle, right = st.columns(3)
    words = left.text_input("Title", key="filter-title").casefold()
    channels = sorted({video.channel for video in every if video.channel})
    channel = middle.selectbox("Channel", channels, index=None, key="filter-channel")
    states = right.multiselect("State", _STATES, key="filter-state")
    since = left.date_input("Changed since", value=None, key="filter-since")
    shown = [
        video
        for video in every
        if words in (video.title or video.video_id).casefold()
        and channel in (None, video.channel)
        and (not states or video.state in states)
        and _is_after(video, since if isinstance(since, date) else None)
    ]
    st.caption(f"{len(shown)} of {len(every)}; choose a line to read it.")
    rows = [
        {
            "Title": video.title or video.video_id,
            "Channel": video.channel or "",
            "State": video.state,
            "Reason": video.reason or "",
        }
        for video in shown
    ]
    chosen = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="videos-table",
    )
    for row in chosen.selection.rows:
        if row < len(shown) and shown[row].transcript:
            opening.open_video(shown[row].video_id)
            st.rerun()


def _is_after(video: VideoStatus, day: date | None) -> bool:
    return day is None or (
        video.at is not None and video.at >= datetime.combine(day, time(), tzinfo=UTC)
    )


def _failures(failed: list[VideoStatus], choice: Choice) -> None:
    if not failed:
        return
    st.subheader(f"Failures: {len(failed)}", anchor=False)
    if st.button("Retry all that may pass"):
        _retry([video.video_id for video in failed if video.sort != "permanent"], choice)
    for video in failed:
        with st.container(border=True):
            later = f", next try {video.next_try:%Y-%m-%d %H:%M} UTC" if video.next_try else ""
            name = plain(video.title or video.video_id)
            st.markdown(f"**{name}** · {video.step}, {video.sort}{later}")
            st.text(video.reason or "")
            if st.button("Retry", key=f"retry-{video.video_id}"):
                _retry([video.video_id], choice)


def _retry(videos: list[str], choice: Choice) -> None:
    if not videos:
        st.info("All of these are permanent: what stands in the way has to change first.")
        return
    try:
        with st.spinner("Starting …"):
            behind.station().ready()
            from console import orders

            count = orders.retry(videos, choice.job)
    except TonspurError as error:
        st.error(plain(str(error)))
        return
    _every.clear()
    st.success(f"{count} tried again; the dashboard shows how it goes.")
