"""Key, secret and the raw project list are in nothing that anybody can read."""

import json
import logging
import sqlite3
import traceback

import pytest

from engine.errors import TonspurError
from engine.odin import OdinClient, upload_documents
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
            told = traceback.TracebackException.from_exception(caught.value)
            assert not hidden_in("".join(told.format()) + repr(caught.value.args))
            assert caught.value.__context__ is None or caught.value.__suppress_context__
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
    told = traceback.TracebackException.from_exception(caught.value)
    assert not hidden_in("".join(told.format()) + caplog.text)


def test_a_redirect_takes_no_secret_along_and_shows_none(kb, settings, still, caplog):
    elsewhere = f"http://127.0.0.1:9/?key={KEY}"
    kb.order("/", status=307, headers={"Location": elsewhere}, times=9)
    with OdinClient(settings, sleep=still.sleep) as client, pytest.raises(TonspurError) as caught:
        client.projects()
    assert len(kb.requests) == 1
    assert not hidden_in(str(caught.value))
    assert "127.0.0.1:9" not in caplog.text.replace(elsewhere, "")
