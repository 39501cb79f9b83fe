"""Opening a transcript from anywhere on the page."""

from dataclasses import dataclass

import streamlit as st

_OPEN = "open"


@dataclass(frozen=True)
class Opened:
    """The transcript that is read, and the second at which its player stands."""

    video_id: str
    start_s: float = 0.0


def open_video(video_id: str, start_s: float = 0.0) -> None:
    """Show it on the library's tab; to be called by a widget's callback."""
    st.session_state[_OPEN] = Opened(video_id, start_s)
    st.session_state["tab"] = "Library"


def opened() -> Opened | None:
    """What is being read."""
    found = st.session_state.get(_OPEN)
    return found if isinstance(found, Opened) else None


def close() -> None:
    """Back to the list."""
    st.session_state.pop(_OPEN, None)
