"""The same ways, over the project's own stand-in for ODIN AI in a process of its own."""

import pytest

from engine import settings as settings_module
from engine.errors import IndexingFailed, RefusedCredentials
from engine.odin import (
    DocumentMetadata,
    OdinClient,
    deliver,
    document_name,
    sha256_of,
    upload_documents,
)
from sandbox.life import Sandbox
from sandbox.spec import OdinSpec, SandboxChannel, SandboxSpec

UPLOADS = "/v3/project/knowledge/add/file"
CHANNEL = SandboxChannel(id="UC" + "a" * 22, handle="@nobody", title="Nobody")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    spec = SandboxSpec(channels=(CHANNEL,), odin=OdinSpec(indexing_s=0.3, chunks_as_objects=True))
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running:
        yield running


@pytest.fixture
def here(sandbox):
    odin = sandbox.spec.odin
    return settings_module.load(
        odin_base_url=sandbox.url,
        odin_api_key=odin.key,
        odin_api_secret=odin.secret,
        odin_project_id=odin.project_ids[0],
    )


@pytest.fixture
def odin(here):
    with OdinClient(here) as client:
        yield client


@pytest.fixture
def talk(tmp_path, request):
    path = tmp_path / "talk.txt"
    path.write_text(f"[00:00 - 00:02] {request.node.name}", encoding="utf-8")
    return path


def send(odin, talk, request, folder="/Talks"):
    metadata = DocumentMetadata(
        title="Talk", sha256=sha256_of(talk), video_id="dQw4-_9WgXc", last_upload="2025-01-02"
    )
    name = document_name(request.node.name)
    done = deliver(odin, talk, name, metadata, folder)
    (listed,) = [one for one in odin.documents(name_search=name) if one.name == name]
    assert listed.key == done.document_key
    assert listed.sha256 == done.sha256
    return done


def test_a_transcript_arrives_once_and_comes_back_word_for_word(odin, talk, request):
    assert odin.projects().configured
    first = send(odin, talk, request)
    again = send(odin, talk, request)
    assert (first.already_there, again.already_there) == (False, True)
    assert again.document_key == first.document_key
    assert odin.fetch(document_name(request.node.name)).content == talk.read_text("utf-8")


def test_changed_words_and_even_another_folder_leave_one_document(odin, talk, request):
    send(odin, talk, request, "/Old name")
    talk.write_text("[00:00 - 00:02] something else", encoding="utf-8")
    assert not send(odin, talk, request, "/New name").already_there


@pytest.mark.parametrize(
    "fault",
    [
        {"lost_answer": True},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 503},
        {"status": 404},
    ],
    ids=["lost", "busy", "down", "old"],
)
def test_trouble_with_the_upload_leaves_one_document(sandbox, odin, talk, request, fault):
    sandbox.fault(route=UPLOADS, **fault)
    assert send(odin, talk, request).status == "synced"


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_the_younger_or_the_older_routes_gets_one_document(
    sandbox, here, odin, talk, request, status
):
    project = f"/project/{here.odin_project_id}"
    for route in (
        UPLOADS,
        f"/v3{project}/knowledgebase",
        "/project/knowledge/status",
        f"{project}/document/chunks",
        "/tools/kb/fetch_documents",
    ):
        sandbox.fault(route=route, status=status, times=None)
    try:
        first = send(odin, talk, request, "/")
        again = send(odin, talk, request, "/")
    finally:
        sandbox.drop_faults()
    assert (first.already_there, again.already_there) == (False, True)


def test_what_cannot_be_indexed_fails_and_the_next_run_mends_it(sandbox, odin, talk, request):
    sandbox.fault(route=UPLOADS, fate="failed")
    with pytest.raises(IndexingFailed):
        send(odin, talk, request)
    assert not send(odin, talk, request).already_there


def test_a_viewers_key_stops_the_batch(here, sandbox, tmp_path):
    for name in ("a.txt", "b.pdf"):
        (tmp_path / name).write_bytes(b"x")
    viewer = here.model_copy(
        update={
            "odin_api_key": settings_module.SecretStr(sandbox.spec.odin.viewer_key),
            "odin_api_secret": settings_module.SecretStr(sandbox.spec.odin.viewer_secret),
        }
    )
    rows = list(upload_documents([tmp_path / "a.txt", tmp_path / "b.pdf"], viewer))
    assert [row.status for row in rows] == ["failed", "deferred"]
    assert RefusedCredentials.stops_batch
    assert "read-only" in rows[0].reason


def test_a_folder_goes_up_and_is_skipped_the_second_time(here, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("a.pdf", "a.md", "ü.csv"):
        (folder / name).write_bytes(b"\xff some words")
    first = list(upload_documents([folder], here))
    second = list(upload_documents([folder], here))
    assert [row.status for row in first + second] == ["done"] * 3 + ["skipped"] * 3
    assert [row.document_key for row in first] == [row.document_key for row in second]
