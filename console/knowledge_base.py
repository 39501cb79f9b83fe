"""Knowledge base: what is in it, whether it is in step with the library, and more documents."""

from collections import Counter
from typing import Any

import streamlit as st

from console import arrivals
from console.choice import Choice
from console.escaping import DONE, FAILED, plain
from deployments import knowledge_base
from engine.errors import TonspurError
from engine.odin.batch import UploadRow, upload_documents
from engine.odin.comparison import OUT_OF_STEP, Finding
from engine.odin.documents import DOCUMENT_TYPES
from engine.steps.in_step import Mending


def show(choice: Choice) -> None:
    """The tab."""
    if not choice.can_upload:
        st.info("Set `ODIN_API_KEY` and `ODIN_API_SECRET` in `.env` to see the knowledge base.")
        return
    try:
        _upload(choice)
        _documents(choice)
        _in_step(choice)
    except TonspurError as error:
        st.error(plain(str(error)))


def _upload(choice: Choice) -> None:
    with st.form("documents", clear_on_submit=True):
        dropped = st.file_uploader(
            "Documents", sorted(DOCUMENT_TYPES), accept_multiple_files=True, key="documents-dropped"
        )
        wanted = st.form_submit_button("Upload", type="primary")
    if not wanted or not dropped:
        return
    rows: list[UploadRow] = []
    bar = st.progress(0.0, "Uploading …")
    # a document is known by its path: the same name is the same document the next time
    folder = choice.settings.outbox_dir / "console"
    for place, file in enumerate(dropped):
        bar.progress(place / len(dropped), f"Uploading {plain(file.name)} …")
        kept = arrivals.keep_for_upload(file.name, file, folder)
        try:
            rows += upload_documents([kept], choice.settings)
        finally:
            kept.unlink(missing_ok=True)
    bar.empty()
    for row in rows:
        icon = FAILED if row.status == "failed" else DONE
        said = plain(row.reason or row.document_key or "")
        st.markdown(f"{icon} **{plain(row.path.name)}** · {row.status} {said}")


def _documents(choice: Choice) -> None:
    if st.button("List documents", key="list-documents"):
        with st.spinner("Asking ODIN AI …"):
            st.session_state["kept-documents"] = list(knowledge_base.documents(choice.settings))
    found: list[knowledge_base.DocumentRow] | None = st.session_state.get("kept-documents")
    if found is None:
        return
    states = Counter(row.status or "unknown" for row in found)
    counts = ", ".join(f"{count} {name}" for name, count in states.items())
    st.caption(f"{len(found)} documents: {counts or 'none'}")
    rows = [
        {
            "Document": row.name,
            "Folder": row.path,
            "Status": row.status,
            "Title": row.title,
            "Model": row.model,
            "Uploaded": row.uploaded,
            "Key": row.document_key,
        }
        for row in found
    ]
    st.dataframe(rows, hide_index=True, width="stretch", key="documents-table")


def _in_step(choice: Choice) -> None:
    st.subheader("Library and knowledge base", anchor=False)
    left_over = st.checkbox(
        "Also delete transcripts of videos that this library does not have",
        key="left-over",
        on_change=_forget_plan,  # what was never shown must not be done
    )
    compare, repair = st.columns(2)
    if compare.button("Compare", width="stretch"):
        with st.spinner("Comparing …"):
            st.session_state["kept-findings"] = knowledge_base.findings(choice.settings)
    if repair.button("Show what a repair would do", width="stretch"):
        st.session_state["kept-mendings"] = _planned(choice, left_over)
    _show_findings(st.session_state.get("kept-findings"))
    mendings: list[Mending] | None = st.session_state.get("kept-mendings")
    if mendings is None:
        return
    if not mendings:
        st.success("Nothing has to be mended.")
        return
    _show_mendings(mendings)
    if any(one.status == "planned" for one in mendings) and st.button("Repair", type="primary"):
        with st.spinner("Repairing …"):
            done = knowledge_base.repair(choice.settings, yes=True, delete_left_over=left_over)
            st.session_state["kept-mendings"] = list(done)
        st.session_state.pop("kept-findings", None)
        st.rerun()


def _forget_plan() -> None:
    st.session_state.pop("kept-mendings", None)


def _planned(choice: Choice, left_over: bool) -> list[Mending]:
    with st.spinner("Comparing …"):
        planned = knowledge_base.repair(choice.settings, yes=False, delete_left_over=left_over)
        return list(planned)


def _show_findings(findings: list[Finding] | None) -> None:
    if findings is None:
        return
    counts = Counter(one.kind for one in findings)
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    out = any(kind in OUT_OF_STEP for kind in counts)
    (st.warning if out else st.success)(said or "Nothing on either side.")
    rows: list[dict[str, Any]] = [
        {"Finding": one.kind, "Document": one.name, "Status": one.status}
        for one in findings
        if one.kind != "in step"
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")


def _show_mendings(mendings: list[Mending]) -> None:
    rows = [
        {
            "Action": one.action,
            "Document": one.name,
            "Why": one.why,
            "Status": one.status,
            "Reason": one.reason,
        }
        for one in mendings
    ]
    st.dataframe(rows, hide_index=True, width="stretch", key="mendings-table")
