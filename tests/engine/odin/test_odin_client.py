import json
import logging
import socket
import threading
import tracemalloc
from datetime import date
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import settings as settings_module
from engine.errors import (
    BadSettings,
    DocumentTooLarge,
    MissingCredentials,
    NetworkTrouble,
    RefusedCredentials,
    RefusedDocument,
    ServiceTrouble,
    TonspurError,
)
from engine.odin import DocumentMetadata, OdinClient, require_credentials
from engine.odin.refusals import AskedToWait, detail_of, refusal

METADATA = DocumentMetadata(
    title='He said: "C:\\temp" – ü', sha256="0" * 64, last_upload=date(2025, 1, 2)
)


@pytest.fixture
def paper(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"line one\r\nline two\n\xff")
    return path


def test_missing_credentials_are_noticed_before_anything_is_sent(settings, kb):
    for name in ("odin_api_key", "odin_api_secret"):
        for value in (None, " "):
            without = settings.model_copy(update={name: value and settings_module.SecretStr(value)})
            with pytest.raises(MissingCredentials, match=name.upper()):
                require_credentials(without)
            with pytest.raises(MissingCredentials):
                OdinClient(without)
    assert kb.requests == []


def test_a_key_that_no_header_can_carry_is_a_bad_setting_and_not_shown(settings):
    broken = settings.model_copy(update={"odin_api_key": settings_module.SecretStr("ab\ncd-é")})
    with pytest.raises(BadSettings) as caught:
        require_credentials(broken)
    assert "cd" not in str(caught.value)


def test_the_project_check_tells_nothing_but_count_and_name(client, settings):
    check = client.projects()
    assert (check.listed, check.configured, check.name) == (1, True, "Talks")
    assert "sk-hidden" not in repr(check)


def test_a_project_that_is_not_listed_is_told(settings, still):
    other = settings.model_copy(update={"odin_project_id": "else"})
    with OdinClient(other, sleep=still.sleep) as odin:
        assert not odin.projects().configured


def test_an_upload_carries_the_bytes_untouched_and_metadata_as_json(client, kb, paper):
    added = client.add_file(paper, "a.txt", METADATA, "/Talks", force=True)
    sent = kb.uploads[0]
    assert sent["file"] == paper.read_bytes()
    assert sent["name"] == "a.txt"
    assert sent["mime"] == sent["file_type"] == "text/plain"
    assert sent["path"] == "/Talks"
    assert sent["force"] == "true"
    assert json.loads(sent["metadata"])["title"] == METADATA.title
    assert added.document_key == "_proj1_a_txt"
    assert added.model_extra["novel"] == 1


def test_a_large_upload_never_sits_in_memory(client, kb, tmp_path):
    big = tmp_path / "big.mp4"
    with big.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    kb.discard = True
    tracemalloc.start()
    client.add_file(big, "big.mp4", METADATA)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kb.bytes_read > 64 * 1024 * 1024
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_question_is_asked_again_when_the_service_is_in_trouble(client, kb, still, status):
    kb.order("/projects", status=status, times=2)
    assert client.projects().listed == 1
    assert still.slept == [1.0, 2.0]


def test_after_five_tries_a_question_ends_in_service_trouble(client, kb):
    kb.order("/projects", status=429, headers={"Retry-After": "1"}, times=99)
    with pytest.raises(ServiceTrouble) as caught:
        client.projects()
    assert type(caught.value) is ServiceTrouble
    assert kb.count("/projects") == 5


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.5),
        ("9999", 120.5),
        ("-3", 0.5),
        ("nan", 1.0),
        ("soon", 1.0),
        ("Mon, 06 Nov 2023 08:49:37 GMT", 0.5),
        ("Mon, 06 Nov 2034 08:49:37", 120.5),
    ],
)
def test_retry_after_is_heeded_up_to_two_minutes(client, kb, still, header, wait):
    kb.order("/projects", status=429, headers={"Retry-After": header})
    client.projects()
    assert still.slept == [wait]


def test_a_broken_connection_is_network_trouble_and_asked_again(client, kb, still):
    kb.order("/projects", hangs_up=True)
    assert client.projects().listed == 1
    kb.order("/projects", hangs_up=True, times=9)
    with pytest.raises(NetworkTrouble):
        client.projects()


def test_a_server_that_is_not_there_is_network_trouble(settings, still):
    nowhere = settings.model_copy(update={"odin_base_url": "http://127.0.0.1:9"})
    with (
        OdinClient(nowhere, sleep=still.sleep) as odin,
        pytest.raises(NetworkTrouble) as caught,
    ):
        odin.projects()
    assert caught.value.__cause__ is None
    assert len(still.slept) == 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, ServiceTrouble),
        ({"status": 429, "headers": {"Retry-After": "2"}}, ServiceTrouble),
        ({"hangs_up": True}, NetworkTrouble),
        ({"status": 200, "body": b"<html>welcome"}, ServiceTrouble),
    ],
)
def test_an_upload_is_never_repeated_blindly(client, kb, paper, still, fault, error):
    kb.order("/add/file", **fault)
    with pytest.raises(error):
        client.add_file(paper, "a.txt", METADATA)
    assert kb.count("/add/file") == 1
    assert still.slept == []


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, b'{"detail": "Invalid API key"}', RefusedCredentials, "Invalid API key"),
        (403, b'{"detail": "viewer"}', RefusedCredentials, "privileged"),
        (402, b'{"detail": "No credits left"}', RefusedCredentials, "credits do not allow"),
        (403, b'{"detail": "Out of credits"}', RefusedCredentials, "Out of credits"),
        (413, b"<html><head>x</head><body>413 Too <b>Large", DocumentTooLarge, "Too Large"),
        (422, b'{"detail": [{"loc": ["body", "file"], "msg": "missing"}]}',
         RefusedDocument, "file: missing"),
        (400, b'{"detail": "bad \\u0007 file"}', RefusedDocument, "bad file"),
        (409, b'{"detail": "exists"}', RefusedDocument, "name"),
        (404, b'{"detail": "Project not found"}', RefusedCredentials, "ODIN_PROJECT_ID"),
    ],
)  # fmt: skip
def test_each_refusal_keeps_what_the_server_says(client, kb, paper, status, body, error, words):
    kb.order("/add/file", status=status, body=body, times=2)
    with pytest.raises(error, match=words):
        client.add_file(paper, "a.txt", METADATA)


def test_a_redirect_is_an_error_and_no_other_host_sees_the_key(client, kb):
    kb.order("/projects", status=307, headers={"Location": f"{kb.url}/elsewhere"})
    with pytest.raises(BadSettings, match="ODIN_BASE_URL"):
        client.projects()
    assert kb.count("/elsewhere") == 0


def test_the_older_twin_is_used_where_the_new_address_is_gone_and_remembered(client, kb, paper):
    kb.gone_routes = {"/v3/"}
    client.add_file(paper, "a.txt", METADATA)
    client.add_file(paper, "b.txt", METADATA)
    assert [path for _, path, _ in kb.requests] == [
        "/v3/project/knowledge/add/file",
        "/v2/project/knowledge/add/file",
        "/v2/project/knowledge/add/file",
    ]
    assert kb.uploads[0]["file"] == paper.read_bytes()
    assert [one.name for one in client.documents()] == ["a.txt", "b.txt"]


def test_a_listing_is_complete_whatever_the_page_size(client, kb):
    for number in range(95):
        kb.add(f"talk-{number}.txt")
    assert len(list(client.documents())) == 95
    kb.page_cap = 7
    assert len(list(client.documents(name_search="talk-1", path="/", recursive=True))) == 11


def test_a_server_that_ignores_the_page_number_is_not_asked_for_ever(client, kb):
    kb.add("a.txt")
    kb.ignores_paging = True
    assert len(list(client.documents())) == 1


def test_both_shapes_of_chunks_count(client, kb):
    kb.add("a.txt")
    for shape in (
        {"chunks": ["x", "y"]},
        {"chunks": [{"id": 1, "content": "x"}], "total_chunks": 2, "total_pages": 1},
    ):
        kb.chunks = lambda name, shape=shape: shape
        assert client.chunks("a.txt") == 2
    assert client.chunks("unknown.txt") == 0
    kb.gone_routes = {"/project/proj1/document"}
    assert client.chunks("a.txt") is None


def test_status_and_text_of_a_document(client, kb):
    kb.add("a.txt")
    assert client.status("a.txt").status == "synced"
    assert client.status("b.txt") is None
    assert client.fetch("a.txt").content == "words"
    assert client.fetch("b.txt") is None
    kb.gone_routes = {"/tools"}
    assert client.fetch("a.txt") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"detail": "Not Found"}'),
        (405, b'{"detail": "Method Not Allowed"}'),
        (404, b"<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found"
              b"</h1></center><hr><center>nginx/1.24.0</center></body></html>"),
        (404, b"<html><body><h1>Not Found</h1><p>The requested URL /project/p/document/chunks"
              b" was not found on this server.</p></body></html>"),
        (404, b"<html><body><pre>Cannot POST /project/p/document/chunks</pre></body></html>"),
        (404, b"404 page not found\n"),
        (404, b""),
    ],
    ids=["fastapi", "method", "nginx", "apache", "express", "plain", "empty"],
)  # fmt: skip
def test_an_address_that_is_gone_is_told_from_a_document_that_is(client, kb, status, body):
    kb.add("a.txt")
    kb.order("/document/chunks", status=status, body=body)
    assert client.chunks("a.txt") is None
    for said in (b'{"detail": "no such document"}', b'{"detail": "Document 404.txt not found"}'):
        kb.order("/document/chunks", status=404, body=said)
        assert client.chunks("a.txt") == 0


def test_deleting_what_is_gone_is_no_error_but_a_missing_address_is(client, kb):
    kb.add("a.txt")
    client.delete("a.txt", "_proj1_a_txt")
    assert kb.docs == []
    kb.order("/delete", status=404, body=b'{"detail": "no such document"}')
    client.delete("a.txt")
    kb.gone_routes = {"/project/knowledge/delete"}
    with pytest.raises(RefusedDocument):
        client.delete("a.txt")


def test_the_secret_is_in_no_log_and_no_exception(client, kb, caplog, settings):
    key, secret = (settings.odin_api_key, settings.odin_api_secret)
    said = f"no such key {key.get_secret_value()} / {secret.get_secret_value()}"
    kb.order("/projects", status=401, body=json.dumps({"detail": said}).encode())
    with caplog.at_level(logging.DEBUG), pytest.raises(RefusedCredentials) as caught:
        client.projects()
    shown = caplog.text + str(caught.value) + repr(caught.value) + repr(client.__dict__)
    assert "no such key ***" in shown
    assert key.get_secret_value() not in shown
    assert secret.get_secret_value() not in shown


def test_an_answer_without_end_is_cut_off(settings, still):
    def endless():
        while True:
            yield b"x" * (1 << 20)

    for status, error in ((200, ServiceTrouble), (400, RefusedDocument)):
        transport = httpx.MockTransport(
            lambda request, s=status: httpx.Response(s, content=endless())
        )
        with (
            OdinClient(settings, transport=transport, sleep=still.sleep) as odin,
            pytest.raises(error),
        ):
            odin.projects()


def test_an_address_that_is_none_is_a_bad_setting(settings):
    with pytest.raises(BadSettings, match="ODIN_BASE_URL"):
        OdinClient(settings.model_copy(update={"odin_base_url": "http://a:port"}))


def test_a_project_id_cannot_leave_its_place_in_the_address(settings, kb, still):
    strange = settings.model_copy(update={"odin_project_id": "../../x?y"})
    with OdinClient(strange, sleep=still.sleep) as odin:
        list(odin.documents())
    assert kb.requests[0][1] == "/v3/project/..%2F..%2Fx%3Fy/knowledgebase"


def test_a_413_that_comes_before_the_upload_is_read_survives(settings, still, tmp_path):
    """As a proxy does it: it answers on the headers alone and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        taken, _ = listener.accept()
        taken.recv(1 << 16)
        body = b"<html><body><h1>413 Request Entity Too Large</h1></body></html>"
        head = f"HTTP/1.1 413 X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        taken.sendall(head.encode() + body)
        taken.shutdown(socket.SHUT_WR)
        while taken.recv(1 << 16):
            pass
        taken.close()

    thread = threading.Thread(target=serve)
    thread.start()
    big = tmp_path / "big.mp3"
    with big.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    here = settings.model_copy(update={"odin_base_url": base})
    with OdinClient(here, sleep=still.sleep) as odin, pytest.raises(DocumentTooLarge, match="413"):
        odin.add_file(big, "big.mp3", METADATA)
    thread.join()
    listener.close()


def test_a_file_that_vanished_is_refused_without_a_request(client, kb, tmp_path):
    with pytest.raises(RefusedDocument, match="cannot be read"):
        client.add_file(tmp_path / "gone.txt", "gone.txt", METADATA)
    assert kb.requests == []


@given(st.binary(max_size=400), st.integers(300, 599))
def test_every_refusal_is_one_of_our_errors_on_one_printable_line(body, status):
    error = refusal(status, detail_of(body), None)
    assert isinstance(error, TonspurError)
    assert str(error).isprintable()
    assert len(str(error)) < 600


ANY_JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["detail", "loc", "msg"]), inner)
    ),
    max_leaves=8,
)


@given(ANY_JSON)
def test_the_detail_of_any_json_is_text(value):
    assert isinstance(detail_of(json.dumps(value).encode()), str)


def test_nesting_without_end_is_no_crash():
    assert isinstance(detail_of(b"[" * 60_000), str)


def test_asked_to_wait_carries_the_seconds():
    error = refusal(503, "busy", 3.0)
    assert isinstance(error, AskedToWait)
    assert error.wait_s == 3.0


def test_the_guessed_type_of_an_unknown_extension_is_plain_bytes(client, kb, tmp_path):
    path = Path(tmp_path / "x.unknown-kind")
    path.write_bytes(b"x")
    client.add_file(path, "x.unknown-kind", METADATA)
    assert kb.uploads[0]["mime"] == "application/octet-stream"


HIT = {"content_key": "a.txt", "content": "words", "score": 0.5, "metadata": {"video_id": "v"}}


@pytest.mark.parametrize(
    ("item", "text", "score"),
    [
        (HIT, "words", 0.5),
        ({"name": "a.txt", "text": "words", "relevance": "0.25"}, "words", 0.25),
        (
            {"document_name": "f/a.txt", "snippet": "words", "metadata": '{"video_id": "v"}'},
            "words",
            None,
        ),
        ({"url": "https://x/a.txt", "chunk_text": "words", "score": "high"}, "words", None),
        ({"key": "_k", "novel": [1, 2]}, "", None),
    ],
)
def test_hits_of_a_search_are_read_in_every_shape(client, kb, item, text, score):
    kb.order("/project/search", status=200, body=json.dumps({"results": [item]}).encode())
    [hit] = client.search("words")
    assert (hit.text, hit.score) == (text, score)
    assert hit.name in ("a.txt", "")
    assert hit.video_id in ("v", None)


def test_the_older_search_is_asked_where_the_new_one_is_gone(client, kb):
    kb.gone_routes = {"/v2/project/search"}
    kb.order("/v2/project/search", status=404, body=b'{"detail": "Not Found"}')
    kb.order("/project/search", status=200, body=b'{"results": null}')
    assert client.search("words", 3) == []
    assert [path for _, path, _ in kb.requests] == ["/v2/project/search", "/project/search"]
    assert kb.requests[-1][2]["max_results"] == 3


def test_a_server_without_description_is_no_error(client, kb):
    kb.order("/openapi.json", status=404, body=b'{"detail": "Not Found"}')
    assert client.description() == {}
