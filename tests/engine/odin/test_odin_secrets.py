"""Key, secret and the raw project list are in nothing that anybody can read."""

import json
import logging
import sqlite3
import traceback
from urllib.parse import quote

import pytest

from engine.errors import TonspurError
from engine.odin import DocumentMetadata, OdinClient, upload_documents
from engine.odin.credentials import Credentials
from engine.settings import SecretStr
from engine.steps.upload import upload
from tests.engine.odin.conftest import KEY, SECRET

HIDDEN = (KEY, SECRET, "sk-hidden")
ECHOES = {
    "a text": (401, json.dumps({"detail": f"no {KEY} with {SECRET}"})),
    "a list with the refused input": (
        422,
        json.dumps({"detail": [{"loc": ["header", "x-api-key"], "msg": "bad", "input": KEY}]}),
    ),
    "a page": (403, f"<html><body><p>{KEY}</p><p>{SECRET}</p></body></html>"),
    "trouble": (500, json.dumps({"error": f"{KEY}/{SECRET}"})),
    "no json": (400, f"{KEY} {SECRET}"),
}


@pytest.fixture(autouse=True)
def every_word(caplog):
    """All loggers, also those of httpx and httpcore, at their most talkative."""
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)


def hidden_in(text: str) -> list[str]:
    return [secret for secret in HIDDEN if secret in text]


def told_by(error: BaseException) -> str:
    """All that a report of an error may show: the whole chain, with the locals of every frame."""
    said = []
    while error is not None:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        said += [repr(error), str(vars(error)), *told.format_exception_only()]
        said += [str(frame.locals) for frame in told.stack if frame.filename != __file__]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


@pytest.mark.parametrize("echo", ECHOES)
def test_what_the_server_repeats_is_in_no_error_log_or_row(
    echo, kb, settings, still, tmp_path, caplog
):
    status, body = ECHOES[echo]
    kb.order("/", status=status, body=body.encode(), times=999)
    paper = tmp_path / "a.txt"
    paper.write_text("words", encoding="utf-8")
    with OdinClient(settings, sleep=still.sleep) as client:
        for call in (
            client.projects,
            client.description,
            lambda: list(client.documents()),
            lambda: client.search("x"),
        ):
            with pytest.raises(TonspurError) as caught:
                call()
            assert not hidden_in(told_by(caught.value))
    rows = list(upload_documents([paper], settings, clock=still.clock, sleep=still.sleep))
    assert not hidden_in(str(rows) + rows[0].model_dump_json())
    assert not hidden_in(caplog.text)


def test_what_goes_well_leaves_no_secret_either(kb, settings, still, tmp_path, caplog):
    paper = tmp_path / "a.txt"
    paper.write_text("words", encoding="utf-8")
    with OdinClient(settings, sleep=still.sleep) as client:
        check = client.projects()
        assert check.configured
        assert not hidden_in(repr(check) + repr(client) + repr(client.__dict__) + repr(settings))
    assert [row.status for row in upload_documents([paper], settings)] == ["done"]
    assert not hidden_in(caplog.text)
    with sqlite3.connect(settings.state_dir / "uploads.sqlite3") as store:
        kept = str(store.execute("SELECT * FROM receipts").fetchall())
    assert kept
    assert not hidden_in(kept)


def test_a_connection_that_breaks_tells_no_secret(kb, settings, still, caplog):
    kb.order("/", hangs_up=True, times=99)
    with OdinClient(settings, sleep=still.sleep) as client, pytest.raises(TonspurError) as caught:
        client.projects()
    assert not hidden_in(told_by(caught.value) + caplog.text)


def test_a_project_list_that_cannot_be_read_is_not_shown(kb, settings, still, caplog):
    listed = {"projects": [{"id": {}, "api_keys": ["sk-hidden", KEY, SECRET]}]}
    kb.order("/projects", status=200, body=json.dumps(listed).encode(), times=9)
    with OdinClient(settings, sleep=still.sleep) as client, pytest.raises(TonspurError) as caught:
        client.projects()
    assert not hidden_in(told_by(caught.value) + caplog.text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_shows_nothing(
    kb, settings, still, tmp_path, caplog, status
):
    paper = tmp_path / "a.txt"
    paper.write_text("words", encoding="utf-8")
    metadata = DocumentMetadata(title="a", sha256="0", last_upload="2026-01-02")
    other = kb.url.replace("127.0.0.1", "localhost")  # another host, and one that would answer
    place = f"{other}/{SECRET}?key={KEY}"
    kb.order("/", status=status, headers={"Location": place, "X-Echo": SECRET}, times=9)
    with OdinClient(settings, sleep=still.sleep) as client:
        for call in (
            client.projects,
            lambda: client.add_file(paper, "a.txt", metadata),
            lambda: client.delete("a.txt"),
        ):
            with pytest.raises(TonspurError) as caught:
                call()
            assert not hidden_in(told_by(caught.value))
    assert not [path for _, path, _ in kb.requests if SECRET in path]
    assert len(kb.requests) == 3
    assert not hidden_in(caplog.text)
    assert "Location" in caplog.text, "the log of httpcore was on"


def test_a_redirect_to_no_address_shows_nothing(kb, settings, still, caplog):
    kb.order("/", status=307, headers={"Location": f"http://[{KEY}/{SECRET}"}, times=9)
    with OdinClient(settings, sleep=still.sleep) as client, pytest.raises(TonspurError) as caught:
        client.projects()
    assert not hidden_in(told_by(caught.value) + caplog.text)


def test_two_clients_of_the_same_keys_hide_them_until_the_last_is_closed(
    kb, settings, still, caplog
):
    kb.order("/projects", status=401, headers={"X-Echo": KEY}, times=9)
    with OdinClient(settings, sleep=still.sleep) as client:
        with OdinClient(settings, sleep=still.sleep):
            pass
        with pytest.raises(TonspurError):
            client.projects()
    assert not hidden_in(caplog.text)
    assert not logging.getLogger("httpcore.http11").filters


def test_a_key_is_hidden_in_every_spelling_and_inside_another():
    known = Credentials(SecretStr("ab+/"), SecretStr("ab+/<&>cd"))
    said = f"ab+/ ab+/<&>cd {quote('ab+/', safe='')} ab+/&lt;&amp;&gt;cd"
    assert known.hidden_in(said) == "*** *** *** ***"


def test_what_the_server_says_of_a_failed_document_shows_no_key(kb, settings, still, tmp_path):
    kb.becomes = "failed"
    original = kb.add
    kb.add = lambda *args, **words: (
        (doc := original(*args, **words)).update(error=f"no {KEY}") or doc
    )
    paper = tmp_path / "a.txt"
    paper.write_text("words", encoding="utf-8")
    [row] = upload_documents([paper], settings, clock=still.clock, sleep=still.sleep)
    assert "no ***" in str(row.reason)
    assert not hidden_in(str(row))


def test_a_sidecar_shows_no_key(kb, settings, shelved):
    kb.order("/add/file", status=422, body=ECHOES["a list with the refused input"][1].encode())
    library, entry = shelved(settings)
    with pytest.raises(TonspurError):
        upload(library, entry, settings)
    written = entry.sidecar.read_text(encoding="utf-8")
    assert library.read(entry).steps["upload"].status == "failed"
    assert not hidden_in(written)
