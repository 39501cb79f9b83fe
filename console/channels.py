"""Channels: an address, what a sync of it would do and cost, and the sync itself."""

from datetime import date
from typing import Any

import streamlit as st

from console import behind, runs
from console.choice import Choice
from console.escaping import plain
from console.tables import outcomes_table
from deployments.commands import plan_sync, price
from engine.errors import TonspurError
from engine.library.outcome import Outcome
from engine.library.shelf import Library
from engine.steps.summary import Summary
from engine.youtube.selection import Selection, choose

_NEW, _LATEST, _DAYS = "what is new", "the newest", "by date"
_VIEWED, _PLAYLIST, _ALL = "the most viewed", "a playlist", "all"
_TAKES = ("with", "without", "only")


def show(choice: Choice) -> None:
    """The tab."""
    address = st.text_input("Channel", placeholder="@handle, address or UC… id", key="channel")
    known = _known_channels(choice)
    if known:
        st.caption("In the library: " + ", ".join(known))
    try:
        selection, cap = _selection()
    except TonspurError as error:
        st.error(plain(str(error)))
        return
    upload = not st.checkbox(
        "Keep the transcripts here",
        value=not choice.can_upload,
        disabled=not choice.can_upload,
        help="Without credentials of ODIN AI transcripts stay in the library.",
        key="channel-keep",
    )
    left, right = st.columns(2)
    previewing = left.button("Preview", disabled=not address, width="stretch")
    starting = right.button("Start sync", disabled=not address, type="primary", width="stretch")
    asked = st.session_state.setdefault("asked-syncs", [])
    if previewing:
        st.session_state["kept-preview"] = _planned(address, selection, choice, cap)
    if starting and (started := _started(address, selection, choice, upload, cap)):
        asked.append(started)
    if preview := st.session_state.get("kept-preview"):
        _show_plan(*preview)
    runs.show(["channel-sync"], list(asked))


def _known_channels(choice: Choice) -> list[str]:
    cards = (card for _, card in Library(choice.settings).channels() if card.channel_id)
    return [plain(card.handle or str(card.channel_id)) for card in cards]


def _selection() -> tuple[Selection, int | None]:
    which = st.radio(
        "Videos", [_NEW, _LATEST, _DAYS, _VIEWED, _PLAYLIST, _ALL], horizontal=True, key="which"
    )
    wishes: dict[str, Any] = {}
    if which == _LATEST:
        wishes["latest"] = st.number_input("How many of the newest", 1, value=10)
    elif which == _VIEWED:
        wishes["most_viewed"] = st.number_input("How many of the most viewed", 1, value=10)
    elif which == _PLAYLIST:
        wishes["playlist"] = st.text_input("Address or id of the playlist")
    elif which == _DAYS:
        first, last = st.columns(2)
        wishes["since"] = first.date_input("From", value=None, max_value=date.today())
        wishes["until"] = last.date_input("To", value=None, max_value=date.today())
    wishes["everything"] = which == _ALL
    with st.expander("Filters"):
        left, right = st.columns(2)
        wishes["shorts"] = left.selectbox("Shorts", _TAKES)
        wishes["streams"] = right.selectbox("Recorded streams", _TAKES)
        wishes["shortest"] = left.number_input("Shortest, in seconds", 0.0, value=None)
        wishes["longest"] = right.number_input("Longest, in seconds", 1.0, value=None)
        wishes["title"] = left.text_input("Title (regular expression)") or None
        wishes["published_after"] = right.date_input("Nothing older than", value=None)
        cap = st.number_input("Videos that are queued at a time", 1, value=None)
    return choose(**wishes), cap


def _planned(
    address: str, selection: Selection, choice: Choice, cap: int | None
) -> tuple[list[Outcome], Summary] | None:
    try:
        with st.spinner("Asking YouTube what is there …"):
            return plan_sync(address, selection, choice.job, cap)
    except TonspurError as error:
        st.error(plain(str(error)))
        return None


def _started(
    address: str, selection: Selection, choice: Choice, upload: bool, cap: int | None
) -> Any:
    try:
        with st.spinner("Starting …"):
            behind.station().ready()
            from console import orders

            return orders.sync(address, selection, choice.job, upload=upload, cap=cap)
    except TonspurError as error:
        st.error(plain(str(error)))
        return None


def _show_plan(outcomes: list[Outcome], summary: Summary) -> None:
    counts = {
        "found": summary.found,
        "planned": summary.planned,
        "skipped": summary.skipped,
        "deferred": summary.deferred,
        "quota units": summary.quota_units,
    }
    for column, (name, count) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(name, count)
    st.info(price(outcomes, summary))
    outcomes_table(outcomes)
