import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.documents import Document, Documents, Incoming


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def documents(tmp_path: Path, clock: Clock) -> Documents:
    return Documents(tmp_path, clock)


def put(
    documents: Documents,
    name: str = "a-b.txt",
    body: bytes = b"some words",
    force: bool = False,
    path: str = "/",
    fate: str = "synced",
) -> Document:
    incoming = Incoming(
        project_id="p1",
        name=name,
        path=path,
        metadata={},
        force=force,
        indexing_s=10,
        fate=fate,
    )
    return documents.add(incoming, io.BytesIO(body))


def test_the_key_is_made_of_project_and_name(documents: Documents) -> None:
    assert put(documents, "2025-01-02_a.b.txt").key == "_p1_2025_01_02_a_b_txt"


def test_names_that_differ_only_in_signs_get_different_keys(documents: Documents) -> None:
    assert put(documents, "a-b.txt").key == "_p1_a_b_txt"
    assert put(documents, "a_b.txt").key == "_p1_a_b_txt_2"


def test_the_same_name_without_force_makes_a_double(documents: Documents) -> None:
    first, second = put(documents), put(documents)
    assert first.key != second.key
    assert len(documents.of("p1")) == 2


def test_force_replaces_the_bytes_and_keeps_the_key(documents: Documents, tmp_path: Path) -> None:
    first = put(documents)
    second = put(documents, body=b"other", force=True)
    assert second.key == first.key
    assert [documents.content(known) for known in documents.of("p1")] == [b"other"]
    assert len(list(tmp_path.glob("p1/*.bin"))) == 1


def test_force_leaves_another_folder_alone(documents: Documents) -> None:
    put(documents, path="/one")
    put(documents, path="/two", force=True)
    assert len(documents.of("p1")) == 2


def test_a_document_is_queued_then_syncing_then_synced(documents: Documents, clock: Clock) -> None:
    document = put(documents)
    seen = []
    for _ in range(3):
        seen.append(document.status(clock()))
        clock.time += 5
    assert seen == ["queued", "syncing", "synced"]


def test_a_fate_takes_the_place_of_synced(documents: Documents, clock: Clock) -> None:
    document = put(documents, fate="failed")
    clock.time += 11
    assert document.status(clock()) == "failed"
    assert documents.chunks(document) == []


def test_documents_are_there_after_a_restart(documents: Documents, tmp_path: Path) -> None:
    document = put(documents)
    (tmp_path / "p1" / "stray.bin").write_bytes(b"an upload that was cut off")
    again = Documents(tmp_path)
    assert again.of("p1") == [document]
    assert not (tmp_path / "p1" / "stray.bin").exists()


def test_chunks_hold_every_word_once_synced(documents: Documents, clock: Clock) -> None:
    words = [f"word{number}" for number in range(500)]
    document = put(documents, body=" ".join(words).encode())
    assert documents.chunks(document) == []
    clock.time += 11
    chunks = documents.chunks(document)
    assert len(chunks) == 5
    assert " ".join(chunks).split() == words


def test_sound_has_no_text_but_its_name(documents: Documents) -> None:
    assert documents.text(put(documents, "a.mp3", b"\xff\xfb")) == "[a.mp3]"


def test_a_removed_document_is_gone_from_disk(documents: Documents, tmp_path: Path) -> None:
    document = put(documents)
    documents.remove([document])
    assert documents.text(document) == ""
    assert not list(tmp_path.glob("p1/*"))


@settings(max_examples=30, deadline=None)
@given(names=st.lists(st.text("ab.-_ äé/", min_size=1, max_size=6), max_size=12))
def test_no_two_documents_share_a_key(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    documents = Documents(tmp_path_factory.mktemp("keys"))
    keys = [put(documents, f"{name}.txt").key for name in names]
    assert len(set(keys)) == len(keys)
