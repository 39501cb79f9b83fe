"""Runs at work, drawn as they are; the same on every tab that starts some."""

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from console import behind
from console.escaping import AT_WORK, DONE, FAILED, plain

_EVERY_S = 2


@st.fragment(run_every=_EVERY_S)
def show(flows: Sequence[str], asked: Sequence[UUID]) -> None:
    """The runs of these flows that are at work, and what became of those asked for here."""
    url = behind.station().seen()
    if url is None:
        if asked:
            st.warning("The Prefect server does not answer at the moment.")
        return
    from deployments import work

    works = work.at_work(flows, asked)
    if not works:
        return
    st.subheader("Runs", anchor=False)
    dashboard = url.removesuffix("/api")
    for one in works:
        icon = AT_WORK if one.at_work else DONE if one.happy else FAILED
        link = f"[{plain(one.name)}]({dashboard}/runs/flow-run/{one.run_id})"
        said = "" if one.at_work else plain(one.message or "")
        st.markdown(f"{icon} {link} · **{plain(one.state)}** {said}")
        if one.share is not None:
            st.progress(min(one.share, 1.0), plain(one.heard or ""))
