import contextlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest

from sandbox import Sandbox, SandboxSpec
from sandbox.chances import KINDS, Chances, drawn
from sandbox.google_answers import ANSWERS
from sandbox.spec import OdinSpec
from tests.sandbox.conftest import BUSY_CHANNEL

PROJECT = "tonspurSandboxKB0001"


@pytest.fixture(autouse=True)
def peace_afterwards(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.drop_faults()


def media(sandbox: Sandbox) -> str:
    return f"{sandbox.url}/media/uF_C5ANi1Hk.mp4"


def upload(client: httpx.Client, name: str) -> httpx.Response:
    data = {"project_id": PROJECT, "metadata": "{}"}
    files = {"file": (name, b"some words")}
    return client.post("/v3/project/knowledge/add/file", data=data, files=files)


def test_a_planned_status_comes_once_and_has_no_effect(
    sandbox: Sandbox, odin: httpx.Client
) -> None:
    sandbox.fault(route="/v3/project/*", status=429, headers={"Retry-After": "3"}, body="slow down")
    refused = upload(odin, "once.txt")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.text == "slow down"
    assert upload(odin, "once.txt").json()["document_key"].endswith("_once_txt")


def test_a_planned_status_has_a_fitting_body(sandbox: Sandbox, youtube: httpx.Client) -> None:
    sandbox.fault(route="/youtube/*", status=503)
    sandbox.fault(route="/youtube/*", status=403, body={"error": {"code": 403}})
    sandbox.fault(route="/feeds/*", status=500)
    query = {"part": "id", "id": "eNz-6p5YUbY"}
    down = youtube.get("/videos", params=query)
    assert down.status_code == 503
    assert down.json()["error"]["errors"][0]["reason"] == "backendError"
    assert youtube.get("/videos", params=query).json() == {"error": {"code": 403}}
    assert "html" in httpx.get(sandbox.environment()["YT_FEED_URL"]).headers["content-type"]


def test_a_planned_delay_holds_the_answer_back(sandbox: Sandbox) -> None:
    sandbox.fault(route="/watch*", delay_s=0.4)
    started = time.perf_counter()
    assert httpx.get(f"{sandbox.url}/watch/eNz-6p5YUbY").status_code == 200
    assert time.perf_counter() - started >= 0.4


def test_slow_media_trickle_at_the_planned_rate(sandbox: Sandbox) -> None:
    whole = httpx.get(media(sandbox)).content
    sandbox.fault(route="/media/*", bytes_per_second=len(whole), times=1)
    started = time.perf_counter()
    assert httpx.get(media(sandbox)).content == whole
    assert 0.8 < time.perf_counter() - started < 3


def test_a_slow_stream_ends_when_the_client_goes(sandbox: Sandbox) -> None:
    sandbox.fault(route="/media/*", bytes_per_second=20_000)
    before = sandbox.counts().media_bytes
    with httpx.stream("GET", media(sandbox)) as answer:
        next(answer.iter_raw(1000))
    time.sleep(0.5)
    sent = sandbox.counts().media_bytes - before
    time.sleep(0.5)
    assert sandbox.counts().media_bytes - before == sent < 60_000


def test_a_cut_answer_ends_after_the_planned_bytes(sandbox: Sandbox) -> None:
    sandbox.fault(route="/media/*", cut_after=10_000)
    got = b""
    with pytest.raises(httpx.TransportError), httpx.stream("GET", media(sandbox)) as answer:
        for part in answer.iter_raw():
            got += part
    assert len(got) == 10_000


def test_a_lost_answer_breaks_the_line_after_the_effect(
    sandbox: Sandbox, odin: httpx.Client
) -> None:
    sandbox.fault(route="/v3/project/knowledge/add/file", lost_answer=True)
    before = sandbox.counts().uploads
    with pytest.raises(httpx.TransportError):
        upload(odin, "lost.txt")
    assert sandbox.counts().uploads == before + 1
    found = odin.post(f"/project/{PROJECT}/knowledgebase", json={"name_search": "lost"}).json()
    assert [document["content_key"] for document in found["docs"]] == ["lost.txt"]
    answers = sandbox.counts().answers["POST /v3/project/knowledge/add/file"]
    assert answers["aborted"] >= 1


@pytest.mark.parametrize("fate", ["failed", "timeout", "deleting"])
def test_a_planned_fate_becomes_of_the_document(
    sandbox: Sandbox, odin: httpx.Client, fate: str
) -> None:
    sandbox.fault(route="/v3/project/knowledge/add/file", fate=fate)
    assert upload(odin, "doomed.txt").json()["status"] == fate
    assert upload(odin, "fine.txt").json()["status"] == "synced"


def test_planned_faults_can_be_read(sandbox: Sandbox) -> None:
    sandbox.fault(route="/a", times=3, delay_s=1)
    planned = httpx.get(f"{sandbox.url}/sandbox/faults").json()
    assert planned[-1]["route"] == "/a"
    assert planned[-1]["left"] == 3
    bad = httpx.post(f"{sandbox.url}/sandbox/faults", json={"explode": True})
    assert bad.status_code == 422


def test_a_refusal_of_googles_is_planned_by_its_name(
    sandbox: Sandbox, youtube: httpx.Client
) -> None:
    query = {"part": "id", "id": "eNz-6p5YUbY"}
    for name, known in ANSWERS.items():
        sandbox.fault(route="/youtube/*", google=name)
        refused = youtube.get("/videos", params=query)
        assert (refused.status_code, refused.json()) == (known.status, known.body)
    sandbox.fault(route="/youtube/*", google="rateLimitExceeded", status=429)
    assert youtube.get("/videos", params=query).status_code == 429
    with pytest.raises(HTTPError, match="422"):
        sandbox.fault(route="/youtube/*", google="noSuchReason")


def test_chance_strikes_by_its_seed_and_leaves_youtube_alone() -> None:
    def drawing(seed: int, path: str) -> list[str | None]:
        return [drawn(Chances(seed=seed, rate=0.3), number, path) for number in range(400)]

    assert drawing(5, "/projects") == drawing(5, "/projects")
    assert drawing(5, "/projects") != drawing(6, "/projects")
    assert set(drawing(5, "/v3/project/x")) == {None, *KINDS}
    assert 80 < 400 - drawing(5, "/projects").count(None) < 160
    assert set(drawing(5, "/youtube/v3/videos") + drawing(5, "/media/x.m4a")) == {None}


def test_what_chance_brings_is_counted_by_kind(start: Any) -> None:
    odin = OdinSpec(chances=Chances(seed=5, rate=1.0))
    running = start("unlucky", spec=SandboxSpec(channels=(BUSY_CHANNEL,), odin=odin))
    headers = {"X-API-KEY": odin.key, "X-API-SECRET": odin.secret}
    for _ in range(8):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{running.url}/projects", headers=headers)
    assert sum(running.counts().struck.values()) == 8


def test_what_hangs_up_has_no_effect(sandbox: Sandbox, odin: httpx.Client) -> None:
    sandbox.fault(route="/v3/project/*", hangs_up=True)
    before = sandbox.counts().uploads
    with pytest.raises(httpx.TransportError):
        upload(odin, "hung.txt")
    assert sandbox.counts().uploads == before
    assert upload(odin, "hung.txt").status_code == 200
