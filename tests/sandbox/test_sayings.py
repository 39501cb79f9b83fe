import os
from collections.abc import Iterator

import httpx
import pytest

from sandbox import Sandbox, SandboxSpec
from sandbox.life import environment_of
from sandbox.sayings import PLUGINS

ID = "eNz-6p5YUbY"


@pytest.fixture(autouse=True)
def peace_afterwards(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.drop_faults()


def said(sandbox: Sandbox, path: str = f"/watch/{ID}") -> object:
    return httpx.get(f"{sandbox.url}/sandbox/saying", params={"path": path}).json()


def test_what_is_planned_is_said_once_and_counts_as_a_request(sandbox: Sandbox) -> None:
    before = sandbox.counts().requests.get("GET /watch/*", 0)
    sandbox.says(ID, "Private video", kind="bug")
    assert said(sandbox, "/watch/uF_C5ANi1Hk") is None
    words = said(sandbox)
    assert isinstance(words, dict)
    assert (words["text"], words["kind"]) == ("Private video", "bug")
    assert said(sandbox) is None
    assert sandbox.counts().requests["GET /watch/*"] == before + 1
    assert sandbox.counts().answers["GET /watch/*"]["said"] >= 1


def test_words_for_yt_dlp_do_not_strike_the_page_itself(sandbox: Sandbox) -> None:
    sandbox.says(ID, "Private video")
    page = httpx.get(f"{sandbox.url}/watch/{ID}")
    assert (page.status_code, "Private video" in page.text) == (200, False)
    assert said(sandbox) is not None


def test_words_of_an_unknown_kind_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Exception, match="422"):
        sandbox.says(ID, "Private video", kind="whispered")


def test_only_an_outspoken_sandbox_brings_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    spec = SandboxSpec(channels=())
    assert "PYTHONPATH" not in environment_of("http://x", spec)
    loud = environment_of("http://x", spec.model_copy(update={"outspoken": True}))
    assert loud["PYTHONPATH"].split(os.pathsep) == [str(PLUGINS), "/elsewhere"]
    assert [*PLUGINS.glob("yt_dlp_plugins/extractor/*.py")]
