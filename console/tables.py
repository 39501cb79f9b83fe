"""Tables of rows that the commands print too."""

from collections.abc import Sequence

import streamlit as st

from engine.library.outcome import Outcome
from engine.transcript import clock


def outcomes_table(outcomes: Sequence[Outcome]) -> None:
    """Videos, and what became or would become of them."""
    rows = [
        {
            "Title": item.title or item.video_id,
            "Status": item.status,
            "Length": _length(item.duration_s),
            "Reason": item.reason or "",
        }
        for item in outcomes
    ]
    st.dataframe(rows, hide_index=True, width="stretch")


def _length(seconds: float | None) -> str:
    return "" if seconds is None else clock(seconds, seconds >= 3600)
