"""Library and knowledge base side by side."""

from collections import Counter
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.odin.comparison import Finding, Wanted, compared
from engine.odin.documents import DocumentMetadata
from engine.odin.models import Document


def wanted(video_id: str, sha256: str = "new", name: str | None = None) -> Wanted:
    metadata = DocumentMetadata(
        title=video_id, sha256=sha256, video_id=video_id, last_upload=date(2026, 1, 1)
    )
    return Wanted(name or f"{video_id}.txt", metadata)


def document(name: str, key: str, status: str = "synced", **metadata: Any) -> Document:
    return Document(content_key=name, id=key, status=status, metadata=metadata)


def ours(video_id: str, key: str, sha256: str = "new", status: str = "synced", name: str = ""):
    url = f"https://www.youtube.com/watch?v={video_id}"
    known = {"video_id": video_id, "sha256": sha256, "url": url}
    return document(name or f"{video_id}.txt", key, status, **known)


def kinds(found: list[Finding]) -> list[str]:
    return sorted(one.kind for one in found)


def test_each_state_has_its_name() -> None:
    every = [wanted(name) for name in ("fine", "gone", "old", "broken", "busy")]
    there = [
        ours("fine", "1"),
        ours("old", "2", sha256="before"),
        ours("broken", "3", status="timeout"),
        ours("busy", "4", status="syncing"),
        ours("unknown", "5"),
        document("report.pdf", "6"),
    ]
    assert kinds(compared(every, there)) == [
        "failed", "foreign", "in step", "indexing", "left over", "missing", "stale",
    ]  # fmt: skip


def test_of_several_the_one_with_the_right_name_and_words_stays() -> None:
    there = [
        ours("a", "1", sha256="before"),
        ours("a", "2"),
        ours("a", "3", name="old title.txt"),
        ours("a", "4", status="failed"),
    ]
    found = compared([wanted("a")], there)
    assert [(one.kind, one.document_key) for one in found if one.kind == "in step"] == [
        ("in step", "2")
    ]
    assert {one.document_key for one in found if one.kind == "doubled"} == {"1", "3", "4"}


def test_a_moved_title_is_stale_under_its_old_name() -> None:
    [found] = compared([wanted("a")], [ours("a", "1", name="old title.txt")])
    assert (found.kind, found.has_old_name, found.wanted_name) == ("stale", True, "a.txt")


def test_what_is_on_its_way_out_does_not_count() -> None:
    assert kinds(compared([wanted("a")], [ours("a", "1", status="deleting")])) == ["missing"]


def test_a_predecessors_document_of_the_same_name_is_stale() -> None:
    assert kinds(compared([wanted("a")], [document("a.txt", "1")])) == ["stale"]


def test_another_videos_document_of_the_same_name_is_not_ours() -> None:
    there = [document("a.txt", "1", video_id="b", sha256="x")]
    assert kinds(compared([wanted("a")], there)) == ["foreign", "missing"]


def test_two_copies_of_a_video_in_the_library_do_not_condemn_each_others_documents() -> None:
    copies = [wanted("a", name="title.txt"), wanted("a", "other", name="new title.txt")]
    there = [
        ours("a", "1", name="title.txt"),
        ours("a", "2", "other", name="new title.txt"),
        ours("a", "3", name="old title.txt"),
    ]
    found = {one.document_key: one.kind for one in compared(copies, there)}
    assert found == {"1": "in step", "2": "in step", "3": "doubled"}


def test_documents_that_nobody_wants_are_told_apart_and_never_doubled() -> None:
    there = [
        document("notes.txt", "1"),
        document("notes.txt", "2", video_id="z"),
        document("notes.txt", "3", sha256="s"),
        document("talk.txt", "4", video_id="z", sha256="s"),
        ours("z", "5"),
        ours("z", "6"),
    ]
    found = {one.document_key: one.kind for one in compared([wanted("a")], there)}
    assert found.pop(None) == "missing"
    local = "a local recording's transcript may lie outside of the library"
    assert found.pop("4") == "foreign", local
    assert found == {
        "1": "foreign", "2": "foreign", "3": "foreign", "5": "left over", "6": "left over"
    }  # fmt: skip


NAMES = st.sampled_from(["a.txt", "b.txt", "old.txt", "report.pdf"])
DOCUMENTS = st.builds(
    lambda name, video, sha, status, url, key: Document(
        content_key=name,
        id=key,
        status=status,
        metadata={
            field: value
            for field, value in {"video_id": video, "sha256": sha, "url": url}.items()
            if value
        },
    ),
    NAMES,
    st.sampled_from([None, "a", "b", "c"]),
    st.sampled_from([None, "new", "before"]),
    st.sampled_from([None, "synced", "failed", "queued", "novel"]),
    st.sampled_from([None, "https://x"]),
    st.uuids().map(str),
)


@given(st.lists(DOCUMENTS, max_size=8))
def test_every_document_is_in_one_finding_and_every_transcript_has_one(
    there: list[Document],
) -> None:
    copy = wanted("a", name="old.txt")
    found = compared([wanted("a"), wanted("b"), copy], there)
    named = Counter(one.document_key for one in found if one.document_key)
    assert named == Counter(one.key for one in there)
    for name in ("a.txt", "b.txt", "old.txt"):
        main = [one for one in found if one.wanted_name == name and one.kind != "doubled"]
        assert len(main) == 1


@given(st.lists(DOCUMENTS, max_size=8))
def test_nothing_of_somebody_else_is_ever_to_be_deleted(there: list[Document]) -> None:
    by_key = {one.key: one for one in there}
    for one in compared([wanted("a"), wanted("b")], there):
        if one.kind in ("doubled", "left over"):
            known = by_key[one.document_key]
            own_name = one.wanted_name == known.name
            assert own_name or (known.sha256 and known.video_id)
            assert known.video_id in (None, one.video_id)
