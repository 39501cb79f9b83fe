import time
from typing import Any

import httpx
import pytest

from sandbox import Sandbox, SandboxSpec
from sandbox.demo_channel import demo_spec
from sandbox.spec import OdinSpec
from tests.sandbox.conftest import BUSY_CHANNEL

PROJECT = OdinSpec().project_ids[0]
V3 = "/v3/project/knowledge/add/file"


def put(
    odin: httpx.Client,
    name: str = "talk.txt",
    body: bytes = b"The harbor is quiet.",
    route: str = V3,
    **form: str,
) -> httpx.Response:
    data = {"project_id": PROJECT, "metadata": '{"title": "Talk"}', **form}
    return odin.post(route, data=data, files={"file": (name, body, "text/plain")})


def listed(odin: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = odin.post(f"/v3/project/{PROJECT}/knowledgebase", json=body)
    assert answer.status_code == 200
    return dict(answer.json())


def names(listing: dict[str, Any]) -> list[str]:
    return [document["content_key"] for document in listing["docs"]]


@pytest.mark.parametrize("route", [V3, V3.replace("v3", "v2")])
def test_an_upload_is_stored_and_answered_with_its_key(odin: httpx.Client, route: str) -> None:
    answer = put(odin, route=route, path="/Channel", force="false")
    assert answer.status_code == 200
    body = answer.json()
    assert body["document_key"] == f"_{PROJECT}_talk_txt"
    assert body["size"] == 20
    assert body["content"] == "The harbor is quiet."
    assert body["document_data"]["metadata"] == {"title": "Talk"}
    assert listed(odin)["docs"][0]["path"] == ("/Channel" if "v3" in route else "/")


def test_a_double_shows_and_force_replaces(odin: httpx.Client) -> None:
    put(odin)
    double = put(odin).json()["document_key"]
    assert double == f"_{PROJECT}_talk_txt_2"
    assert names(listed(odin)) == ["talk.txt", "talk.txt"]
    put(odin, body=b"other", force="true")
    keys = {"project_id": PROJECT, "content_keys": ["talk.txt", "nothing.txt"]}
    fetched = odin.post("/tools/kb/fetch_documents", json=keys).json()["documents"]
    assert [document["content"] for document in fetched] == ["other"]
    assert len(listed(odin)["docs"]) == 2


@pytest.mark.parametrize("missing", ["metadata", "project_id"])
def test_a_missing_field_is_a_list_of_errors(odin: httpx.Client, missing: str) -> None:
    data = {"project_id": PROJECT, "metadata": "{}"}
    del data[missing]
    answer = odin.post(V3, data=data, files={"file": ("a.txt", b"x")})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", missing]


@pytest.mark.parametrize("metadata", ["no json", "[1]"])
def test_metadata_must_be_a_json_object(odin: httpx.Client, metadata: str) -> None:
    answer = put(odin, metadata=metadata)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "metadata"]


def test_an_unsupported_type_is_refused_with_a_text(odin: httpx.Client) -> None:
    answer = put(odin, name="talk.srt")
    assert answer.status_code == 400
    assert "srt" in answer.json()["detail"]


@pytest.mark.parametrize("size", [300_001, 5_000_000])
def test_too_large_a_file_gets_the_proxys_page(odin: httpx.Client, size: int) -> None:
    answer = put(odin, body=b"x" * size)
    assert answer.status_code == 413
    assert answer.text.startswith("<html>")
    assert listed(odin)["docs"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-KEY": "sandbox-odin-key"},
        {"X-API-KEY": "sandbox-odin-key", "X-API-SECRET": "wrong"},
        {"X-API-KEY": "sandbox-odin-key", "X-API-SECRET": "sandbox-viewer-secret"},
    ],
)
def test_wrong_credentials_are_refused_with_a_text(
    sandbox: Sandbox, headers: dict[str, str]
) -> None:
    answer = httpx.get(f"{sandbox.url}/projects", headers=headers)
    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)


def test_a_viewer_may_read_but_not_write(sandbox: Sandbox) -> None:
    spec = sandbox.spec.odin
    headers = {"X-API-KEY": spec.viewer_key, "X-API-SECRET": spec.viewer_secret}
    with httpx.Client(base_url=sandbox.url, headers=headers) as viewer:
        assert viewer.get("/projects").json()["projects"][0]["id"] == PROJECT
        assert put(viewer).status_code == 403
        body = {"project_id": PROJECT, "resources": []}
        assert viewer.request("DELETE", "/project/knowledge/delete", json=body).status_code == 403


def test_a_project_of_somebody_else_is_refused(odin: httpx.Client) -> None:
    assert odin.get("/project/other/knowledge").status_code == 403
    assert put(odin, project_id="other").status_code == 403


def test_the_listing_pages_filters_and_knows_folders(odin: httpx.Client) -> None:
    for number in range(5):
        put(odin, name=f"talk-{number}.txt", path=f"/Channel/{number % 2}")
    put(odin, name="Other.md")
    assert names(listed(odin, page=2, items_per_page=2)) == ["talk-2.txt", "talk-3.txt"]
    assert names(listed(odin, name_search="OTHER")) == ["Other.md"]
    assert names(listed(odin, content_keys=["talk-1.txt", "x"])) == ["talk-1.txt"]
    assert names(listed(odin, path="/")) == ["Other.md"]
    assert len(names(listed(odin, path="/Channel", recursive=True))) == 5
    assert len(names(listed(odin, path="/Channel/1"))) == 2
    assert [folder["path"] for folder in listed(odin)["folders"]] == ["/Channel"]
    inside = listed(odin, path="Channel")["folders"]
    assert [folder["path"] for folder in inside] == ["/Channel/0", "/Channel/1"]
    assert inside[0]["size"] == 60
    old = odin.post(f"/project/{PROJECT}/knowledgebase", json={})
    assert old.json()["kb_info"]["disk_usage"] == 120


def test_status_listing_by_key_and_metadata(odin: httpx.Client) -> None:
    key = put(odin).json()["document_key"]
    query = {"project_id": PROJECT, "file_name": "talk.txt"}
    assert odin.get("/project/knowledge/status", params=query).json() == {"status": "synced"}
    missing = odin.get("/project/knowledge/status", params={**query, "file_name": "x.txt"})
    assert missing.status_code == 404
    change = {"metadata": {"title": "New"}}
    odin.patch(f"/project/{PROJECT}/knowledge/{key}/metadata", json=change)
    known = odin.get(f"/project/{PROJECT}/knowledge").json()["knowledge_base"]
    assert known[key]["metadata"] == {"title": "New"}
    assert known[key]["status"] == "synced"


def test_chunks_come_in_pages(odin: httpx.Client) -> None:
    put(odin, body=" ".join(f"w{n}" for n in range(300)).encode())
    body = {"content_key": "talk.txt", "page": 2, "page_size": 2}
    answer = odin.post(f"/project/{PROJECT}/document/chunks", json=body).json()
    assert (answer["total_chunks"], answer["total_pages"], answer["current_page"]) == (3, 2, 2)
    assert answer["chunks"][0].startswith("w240 ")
    absent = odin.post(f"/project/{PROJECT}/document/chunks", json={"content_key": "no.txt"})
    assert absent.status_code == 404


def test_a_search_finds_the_chunk_with_the_words(odin: httpx.Client) -> None:
    put(odin, name="a.txt", body=b"The old bridge is made of stone.")
    key = put(odin, name="b.txt", body=b"Bread needs flour; a Bridge does not.").json()
    question = {"project_id": PROJECT, "query": "stone bridge"}
    results = odin.post("/v2/project/search", json=question).json()["results"]
    assert [hit["content_key"] for hit in results] == ["a.txt", "b.txt"]
    assert results[0]["score"] == 1.0
    narrow = {**question, "document_keys": [key["document_key"]]}
    results = odin.post("/v2/project/search", json=narrow).json()["results"]
    assert [hit["content_key"] for hit in results] == ["b.txt"]


def test_a_document_is_deleted_by_key_or_by_name(odin: httpx.Client) -> None:
    def delete(**resource: str) -> int:
        body = {"project_id": PROJECT, "resources": [resource]}
        return odin.request("DELETE", "/project/knowledge/delete", json=body).status_code

    first = put(odin).json()["document_key"]
    put(odin)
    put(odin)
    assert delete(name="talk.txt", key=first) == 200
    assert len(listed(odin)["docs"]) == 2
    assert delete(name="talk.txt") == 200
    assert listed(odin)["docs"] == []
    assert delete(name="talk.txt") == 404


def test_the_description_shows_odins_routes_alone(sandbox: Sandbox) -> None:
    paths = httpx.get(f"{sandbox.url}/openapi.json").json()["paths"]
    assert V3 in paths
    assert not any(path.startswith(("/youtube", "/sandbox", "/media", "/watch")) for path in paths)


def test_indexing_takes_its_time_and_both_shapes_of_chunks_exist(start: Any) -> None:
    odin = OdinSpec(indexing_s=0.6, chunks_as_objects=True)
    spec = SandboxSpec(**{**dict(demo_spec()), "odin": odin})
    running = start(spec=spec)
    headers = {"X-API-KEY": odin.key, "X-API-SECRET": odin.secret}
    with httpx.Client(base_url=running.url, headers=headers) as client:
        assert put(client).json()["status"] == "queued"
        query = {"project_id": PROJECT, "file_name": "talk.txt"}
        seen = []
        while seen[-1:] != ["synced"]:
            seen.append(client.get("/project/knowledge/status", params=query).json()["status"])
        assert list(dict.fromkeys(seen)) == ["queued", "syncing", "synced"]
        body = {"content_key": "talk.txt"}
        chunks = client.post(f"/project/{PROJECT}/document/chunks", json=body).json()["chunks"]
        assert chunks[0]["content"] == "The harbor is quiet."


def test_uploads_and_documents_are_counted(sandbox: Sandbox, odin: httpx.Client) -> None:
    before = sandbox.counts()
    put(odin)
    after = sandbox.counts()
    assert after.uploads == before.uploads + 1
    assert after.upload_bytes == before.upload_bytes + 20
    assert after.documents == {"synced": 1}
    route = "POST /v3/project/*/knowledgebase"
    listed(odin)
    assert sandbox.counts().requests[route] == after.requests.get(route, 0) + 1


def test_without_credits_an_upload_is_refused_with_a_text(start: Any) -> None:
    spec = SandboxSpec(channels=(BUSY_CHANNEL,), odin=OdinSpec(indexing_s=0.0, credits=3))
    running = start("poor", spec=spec)
    headers = {"X-API-KEY": spec.odin.key, "X-API-SECRET": spec.odin.secret}
    with httpx.Client(base_url=running.url, headers=headers) as odin:
        data = {"project_id": spec.odin.project_ids[0], "metadata": "{}"}

        def send(name: str, words: int) -> httpx.Response:
            files = {"file": (name, b"word " * words)}
            return odin.post("/v3/project/knowledge/add/file", data=data, files=files)

        broken = {**data, "metadata": "no json"}
        files = {"file": ("long.txt", b"word " * 90_000)}
        assert odin.post(V3, data=broken, files=files).status_code == 422, "costs nothing"
        assert send("long.txt", 10_001).status_code == 200, "two credits"
        assert send("short.txt", 1).status_code == 200
        refused = send("more.txt", 1)
        assert (refused.status_code, refused.json()) == (402, {"detail": "Not enough credits"})
    counts = running.counts()
    assert (counts.documents, counts.credits) == ({"synced": 2}, 3)


def test_a_document_is_queued_then_syncing_then_synced(start: Any) -> None:
    spec = SandboxSpec(channels=(BUSY_CHANNEL,), odin=OdinSpec(indexing_s=1.2))
    running = start("slow", spec=spec)
    headers = {"X-API-KEY": spec.odin.key, "X-API-SECRET": spec.odin.secret}
    seen: list[str] = []
    with httpx.Client(base_url=running.url, headers=headers) as odin:
        put(odin, "a.txt")
        while "synced" not in seen:
            word = status_of(odin, "a.txt")
            seen += [word] if word not in seen else []
            time.sleep(0.05)
    assert seen == ["queued", "syncing", "synced"]


@pytest.mark.parametrize("word", ["failed", "deleting", "timeout"])
def test_every_other_status_comes_on_demand(
    sandbox: Sandbox, odin: httpx.Client, word: str
) -> None:
    sandbox.fault(route=V3, fate=word)
    put(odin, f"{word}.txt")
    assert status_of(odin, f"{word}.txt") == word


def status_of(odin: httpx.Client, name: str) -> str:
    query = {"project_id": PROJECT, "file_name": name}
    return str(odin.get("/project/knowledge/status", params=query).json()["status"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", V3),
        ("POST", f"/v3/project/{PROJECT}/knowledgebase"),
        ("GET", "/project/knowledge/status"),
        ("POST", f"/project/{PROJECT}/document/chunks"),
        ("POST", "/tools/kb/fetch_documents"),
        ("POST", "/v2/project/search"),
    ],
)
@pytest.mark.parametrize(("status", "said"), [(404, "Not Found"), (405, "Method Not Allowed")])
def test_any_route_can_be_gone_and_answers_as_fastapi_does(
    sandbox: Sandbox, odin: httpx.Client, method: str, path: str, status: int, said: str
) -> None:
    truly = odin.get("/project/no/such/route") if status == 404 else odin.get(V3)
    sandbox.fault(route=path, method=method, status=status)
    gone = odin.request(method, path)
    assert (gone.status_code, gone.json()) == (status, {"detail": said})
    assert (truly.status_code, truly.json()) == (status, {"detail": said})


def test_a_429_comes_with_and_without_its_pause(sandbox: Sandbox, odin: httpx.Client) -> None:
    sandbox.fault(route=V3, status=429)
    sandbox.fault(route=V3, status=429, headers={"Retry-After": "7"})
    assert "retry-after" not in put(odin, "limited.txt").headers
    assert put(odin, "limited.txt").headers["retry-after"] == "7"
