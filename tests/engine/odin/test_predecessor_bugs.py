"""The predecessor's bugs in its uploads: none comes back.

The UB numbers are those of the survey of it.
"""

import json
from pathlib import Path

import pytest

from engine.errors import IndexingFailed, MissingCredentials
from engine.odin import DOCUMENT_TYPES, Receipts, upload_documents
from engine.odin.wire import QUESTION, UPLOAD

STEM = '2024-05-06_Say "hi" \\ bye_dQw4-_9WgXc'.replace('"', "").replace("\\", "_")
SIDECAR = {
    "videoId": "dQw4-_9WgXc",
    "publishedAt": "2024-05-06T07:00:00Z",
    "channelId": "UC1",
    "title": 'Say "hi" \\ bye\n',
    "channelTitle": "O'Neill & Söhne",
}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "papers"
    place.mkdir()
    return place


@pytest.fixture
def run(settings, still):
    def upload(*paths, **options):
        rows = upload_documents(paths, settings, clock=still.clock, sleep=still.sleep, **options)
        return list(rows)

    return upload


def transcript(folder: Path) -> Path:
    text = folder / f"{STEM}.txt"
    text.write_text("[00:00 - 00:01] hi\n", encoding="utf-8", newline="\n")
    text.with_suffix(".json").write_text(json.dumps(SIDECAR), encoding="utf-8")
    heard = {"language": "de", "model": "base", "preset": "stabil", "segments": []}
    (folder / f"{STEM}.transcript.json").write_text(json.dumps(heard), encoding="utf-8")
    return text


@pytest.mark.parametrize("kind", [".pdf", ".docx", ".mp3", ".mp4"])
def test_ub1_what_is_no_text_goes_up_too(run, kb, folder, kind):
    content = bytes(range(256)) * 8
    (folder / f"a{kind}").write_bytes(content)
    assert [row.status for row in run(folder)] == ["done"]
    assert kb.uploads[0]["file"] == content
    assert kb.uploads[0]["mime"] == DOCUMENT_TYPES[kind]


def test_ub2_quotes_and_backslashes_survive_in_the_metadata(run, kb, folder):
    transcript(folder)
    run(folder)
    sent = json.loads(kb.uploads[0]["metadata"])
    assert (sent["title"], sent["channel"]) == (SIDECAR["title"], SIDECAR["channelTitle"])


def test_ub3_line_ends_stay_and_no_copy_is_made(run, kb, folder, settings):
    (folder / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    run(folder)
    assert kb.uploads[0]["file"] == b"one\r\ntwo\r\n"
    assert not settings.outbox_dir.exists()


def test_ub4_accepted_is_not_indexed_and_trouble_is_tried_again(run, kb, folder):
    (folder / "a.txt").write_text("a", encoding="utf-8")
    kb.order("/add/file", status=503)
    kb.looks_until_synced = 3
    assert [row.status for row in run(folder)] == ["done"]
    assert kb.docs[0]["looks"] > 3
    (folder / "a.txt").write_text("b", encoding="utf-8")
    kb.becomes = "failed"
    [row] = run(folder)
    assert row.status == "failed"
    assert "could not index" in row.reason
    assert IndexingFailed.later_h, "it is tried again later"


def test_ub4_no_request_waits_without_end():
    for limits in (QUESTION, UPLOAD):
        assert all(limits.as_dict().values()), "each of the four is set"


def test_ub5_the_key_is_kept_and_replaces_and_deletes(run, kb, folder, settings):
    paper = folder / "a.txt"
    paper.write_text("a", encoding="utf-8")
    [first] = run(folder)
    assert Receipts(settings).of(paper).document_key == first.document_key == kb.docs[0]["id"]
    paper.write_text("b", encoding="utf-8")
    [second] = run(folder)
    assert [doc["id"] for doc in kb.docs] == [second.document_key]


def test_ub6_missing_credentials_are_noticed_before_the_first_file(settings, kb, folder):
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    without = settings.model_copy(update={"odin_api_key": None})
    with pytest.raises(MissingCredentials, match="ODIN_API_KEY"):
        upload_documents([folder], without)
    assert kb.requests == []


def test_ub7_a_second_press_uploads_nothing(run, kb, folder):
    transcript(folder)
    (folder / "a.pdf").write_bytes(b"%PDF")
    assert {row.status for row in run(folder)} == {"done"}
    assert {row.status for row in run(folder)} == {"skipped"}
    assert len(kb.uploads) == 2


def test_ub8_a_folder_gives_what_is_meant_in_any_letter_case(run, kb, folder):
    deep = folder / "deep" / "deeper"
    deep.mkdir(parents=True)
    for name in ("REPORT.TXT", "requirements.txt", "deep/deeper/Notes.Md"):
        (folder / name).write_text(name, encoding="utf-8")
    rows = run(folder, exclude=["requirements*.txt"])
    assert sorted(row.path.name for row in rows) == ["Notes.Md", "REPORT.TXT"]
    assert {row.status for row in rows} == {"done"}
    only = run(folder, include=["*.md"])
    assert [row.path.name for row in only] == ["Notes.Md"]
    assert [row.path.name for row in run(folder, include=["DEEP/*"])] == ["Notes.Md"]


def test_ub9_the_sidecar_becomes_the_metadata(run, kb, folder):
    transcript(folder)
    [row] = run(folder)
    assert row.path.suffix == ".txt"
    sent = json.loads(kb.uploads[0]["metadata"])
    assert sent["video_id"] == SIDECAR["videoId"]
    assert sent["published"].startswith("2024-05-06T07:00:00")
    assert sent["url"].endswith("watch?v=dQw4-_9WgXc")
    assert (sent["language"], sent["model"], sent["preset"]) == ("de", "base", "stabil")
    assert {"author_name", "uploaded_by", "added_by", "category", "last_upload"} <= sent.keys()
