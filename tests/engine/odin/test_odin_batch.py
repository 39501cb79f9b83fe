import json
import os
import sqlite3
import sys

import pytest

from engine.errors import MissingCredentials
from engine.odin import DOCUMENT_TYPES, Receipts, upload_documents
from engine.odin.selection import chosen_files

STEM = "2024-05-06_Müsli & Talk_dQw4-_9WgXc"
SIDECAR = {
    "videoId": "dQw4-_9WgXc",
    "publishedAt": "2024-05-06T07:00:00Z",
    "channelId": "UC1",
    "title": "Müsli & Talk",
    "description": "",
    "thumbnail": None,
    "channelTitle": "Küche",
}


@pytest.fixture
def run(settings, still):
    def upload(*paths, **options):
        rows = upload_documents(paths, settings, clock=still.clock, sleep=still.sleep, **options)
        return list(rows)

    return upload


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "papers"
    place.mkdir()
    return place


def library(folder):
    (folder / f"{STEM}.txt").write_text("[00:00 - 00:01] hi", encoding="utf-8")
    (folder / f"{STEM}.json").write_text(json.dumps(SIDECAR), encoding="utf-8")
    segments = {"language": "de", "model": "base", "preset": "stabil", "segments": []}
    (folder / f"{STEM}.transcript.json").write_text(json.dumps(segments), encoding="utf-8")
    (folder / f"{STEM}.mp4").write_bytes(b"media")
    (folder / "channel.json").write_text('{"handle": "@k", "title": "K"}', encoding="utf-8")


def test_all_ten_types_arrive_byte_for_byte(run, kb, folder):
    for kind in DOCUMENT_TYPES:
        (folder / f"sample{kind}").write_bytes(b"\xff\xd8 not text \r\n" + kind.encode())
    (folder / "program.exe").write_bytes(b"MZ")
    rows = run(folder)
    assert [row.status for row in rows] == ["done"] * 10
    sent = {upload["file"]: upload["mime"] for upload in kb.uploads}
    for kind, mime in DOCUMENT_TYPES.items():
        assert sent[(folder / f"sample{kind}").read_bytes()] == mime
    assert {row.document_key for row in rows} == {doc["id"] for doc in kb.docs}


def test_a_second_run_skips_everything_and_keeps_the_keys(run, kb, folder):
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (first,) = run(folder)
    (second,) = run(folder / "a.txt")
    assert (second.status, second.document_key) == ("skipped", first.document_key)
    assert len(kb.uploads) == 1


def test_a_lost_receipt_does_no_harm(run, kb, folder, settings):
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (first,) = run(folder)
    (settings.state_dir / "uploads.sqlite3").unlink()
    (second,) = run(folder)
    assert (second.status, second.document_key) == ("skipped", first.document_key)


def test_same_names_in_different_folders_stay_two_documents(run, kb, folder):
    for place in ("one", "two"):
        (folder / place).mkdir()
        (folder / place / "a.txt").write_text(place, encoding="utf-8")
    run(folder)
    assert sorted(upload["file"] for upload in kb.uploads) == [b"one", b"two"]
    assert len(kb.docs) == 2


def test_changed_content_replaces_the_document(run, kb, folder):
    paper = folder / "a.txt"
    paper.write_text("a", encoding="utf-8")
    run(paper)
    paper.write_text("b", encoding="utf-8")
    (row,) = run(paper)
    assert row.status == "done"
    assert len(kb.docs) == 1


def test_a_transcript_goes_up_as_the_pipeline_names_it_with_its_sidecars_metadata(run, kb, folder):
    library(folder)
    (row,) = run(folder)
    assert row.path.name == f"{STEM}.txt"
    (sent,) = kb.uploads
    assert sent["name"] == "2024-05-06_Muesli_Talk_dQw4-_9WgXc.txt"
    assert sent["path"] == "/Kueche"
    metadata = json.loads(sent["metadata"])
    assert metadata["title"] == "Müsli & Talk"
    assert metadata["url"] == "https://www.youtube.com/watch?v=dQw4-_9WgXc"
    assert (metadata["language"], metadata["model"], metadata["preset"]) == ("de", "base", "stabil")


def test_a_sidecar_that_is_named_outright_is_a_document(run, kb, folder):
    library(folder)
    assert [row.status for row in run(folder / f"{STEM}.json")] == ["done"]


def test_foreign_json_beside_a_text_is_a_document(folder):
    for name in ("a.txt", "a.mp3", "channel.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    (folder / "a.json").write_text('{"videoId": 1, "publishedAt": "x", "title": "y"}')
    (folder / "b.json").write_text("[1]", encoding="utf-8")
    (folder / "c.transcript.json").write_text("{}", encoding="utf-8")
    names = [chosen.path.name for chosen in chosen_files([folder])]
    assert names == ["a.json", "a.mp3", "a.txt", "b.json", "c.transcript.json", "channel.json"]


def test_a_damaged_sidecar_makes_its_text_a_plain_document(run, kb, folder):
    library(folder)
    (folder / f"{STEM}.json").write_text(json.dumps(SIDECAR | {"publishedAt": "never"}))
    run(folder / f"{STEM}.txt")
    assert json.loads(kb.uploads[0]["metadata"])["category"] == "document"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_folder_that_cannot_be_read_is_failed(run, folder):
    folder.chmod(0)
    try:
        (row,) = run(folder)
    finally:
        folder.chmod(0o700)
    assert row.status == "failed"


def test_hidden_and_temporary_files_are_left_out(folder):
    for name in (".hidden.txt", ".~abcdef12.txt", "~$report.docx", "seen.txt"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / ".git").mkdir()
    (folder / ".git" / "a.txt").write_text("x", encoding="utf-8")
    assert [chosen.path.name for chosen in chosen_files([folder])] == ["seen.txt"]


def test_patterns_choose_among_documents_and_never_beyond(folder):
    library(folder)
    (folder / "Drafts" / "deep").mkdir(parents=True)
    kept = ("A.PDF", "b.pdf", "Drafts/c.pdf", "Drafts/deep/d.Txt")
    for name in (*kept, ".hidden.pdf", ".~b.pdf", "tool.exe"):
        (folder / name).write_text("x", encoding="utf-8")

    def chosen(*patterns, exclude=()):
        found = chosen_files([folder], patterns, exclude)
        return [one.path.relative_to(folder).as_posix() for one in found]

    everything = ["A.PDF", "b.pdf", "Drafts/c.pdf", "Drafts/deep/d.Txt", f"{STEM}.txt"]
    assert sorted(chosen("*")) == sorted(chosen()) == sorted(everything)
    assert sorted(chosen("*.pdf")) == ["A.PDF", "Drafts/c.pdf", "b.pdf"]
    assert chosen("drafts/*") == ["Drafts/c.pdf", "Drafts/deep/d.Txt"]
    assert chosen("*.PDF", "*.txt", exclude=["DRAFTS/*", "2024-*"]) == ["A.PDF", "b.pdf"]
    assert chosen("*.exe") == []


def test_patterns_are_for_folders_and_not_for_what_is_named_outright(folder):
    (folder / "a.txt").write_text("x", encoding="utf-8")
    [one] = chosen_files([folder / "a.txt"], ["*.pdf"], ["*.txt"])
    assert (one.path.name, one.refused) == ("a.txt", "")


def test_what_is_too_large_is_failed_before_a_byte_is_sent(settings, still, kb, folder):
    small = settings.model_copy(update={"odin_max_file_mb": 1})
    for name, size in (("large.mp4", 1024 * 1024 + 1), ("most.pdf", 1024 * 1024)):
        with (folder / name).open("wb") as file:
            file.truncate(size)
    rows = upload_documents([folder], small, clock=still.clock, sleep=still.sleep)
    first = next(rows)
    assert (first.path.name, first.status, kb.requests) == ("large.mp4", "failed", [])
    assert "ODIN_MAX_FILE_MB = 1" in first.reason
    assert next(rows).status == "done"


def test_a_file_that_several_paths_mean_is_taken_once(folder):
    (folder / "a.txt").write_text("x", encoding="utf-8")
    again = folder / ".." / folder.name / "a.txt"
    assert len(list(chosen_files([folder, folder / "a.txt", again]))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_to_the_folder_above_is_not_followed(folder):
    (folder / "a.txt").write_text("x", encoding="utf-8")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    assert [chosen.path.name for chosen in chosen_files([folder])] == ["a.txt"]
    (chosen,) = chosen_files([folder / "self.txt"])
    assert "cannot be read" in chosen.refused


def test_what_is_named_outright_and_cannot_be_taken_is_failed(run, kb, folder):
    (folder / "a.exe").write_bytes(b"x")
    (folder / "empty.txt").touch()
    rows = run(folder / "gone.txt", folder / "a.exe", folder / "empty.txt")
    assert [row.status for row in rows] == ["failed"] * 3
    assert "does not exist" in rows[0].reason
    assert kb.requests == []


def test_one_refused_file_does_not_stop_the_others(run, kb, folder):
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    kb.order("/add/file", status=422, body=b'{"detail": "unreadable"}')
    rows = run(folder)
    assert [row.status for row in rows] == ["failed", "done"]
    assert "unreadable" in rows[0].reason


def test_refused_credentials_stop_the_batch(run, kb, folder, settings):
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    kb.order("/add/file", status=402, body=b'{"detail": "no credits"}', times=99)
    rows = run(folder, folder / "gone.txt")
    assert [row.status for row in rows] == ["failed", "deferred", "deferred", "failed"]
    assert kb.count("/add/file") == 1


def test_a_wrong_address_stops_the_batch_too(run, kb, folder):
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    kb.order("/", status=301, times=99)
    assert [row.status for row in run(folder)] == ["failed", "deferred"]


def test_missing_credentials_are_noticed_before_the_first_row(settings, folder):
    without = settings.model_copy(update={"odin_api_secret": None})
    with pytest.raises(MissingCredentials):
        upload_documents([folder], without)


def test_an_open_client_and_progress_are_used(run, kb, folder, client):
    (folder / "a.txt").write_text("a", encoding="utf-8")
    seen = []
    run(folder, client=client, progress=lambda path, status: seen.append((path.name, status)))
    assert ("a.txt", "synced") in seen
    assert client.projects().listed == 1


def test_receipts_belong_to_one_project_and_survive_a_damaged_store(settings, folder):
    paper = folder / "a.txt"
    receipts = Receipts(settings)
    assert receipts.of(paper) is None
    receipts.keep(paper, "sha", "_key")
    assert receipts.of(folder / "." / "a.txt").document_key == "_key"
    other = settings.model_copy(update={"odin_project_id": "else"})
    assert Receipts(other).of(paper) is None

    store = settings.state_dir / "uploads.sqlite3"
    store.write_bytes(b"this is no database" * 100)
    assert receipts.of(paper) is None
    receipts.keep(paper, "sha", "_new")
    assert receipts.of(paper).document_key == "_new"


def test_a_locked_store_is_let_be(settings, folder, monkeypatch):
    receipts = Receipts(settings)
    receipts.keep(folder, "sha", "_key")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout: connect(path, timeout=0.01))
    with connect(settings.state_dir / "uploads.sqlite3") as holder:
        holder.execute("BEGIN EXCLUSIVE")
        receipts.keep(folder, "sha", "_other")
        holder.rollback()
    assert receipts.of(folder).document_key == "_key"
