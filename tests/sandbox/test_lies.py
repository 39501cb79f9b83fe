from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox import Sandbox

ID = "uF_C5ANi1Hk"


@pytest.fixture(autouse=True)
def peace_afterwards(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.drop_faults()


def get(sandbox: Sandbox, method: str = "GET", **headers: str) -> httpx.Response:
    return httpx.request(method, f"{sandbox.url}/media/{ID}.mp4", headers=headers)


def lies(sandbox: Sandbox, **lie: Any) -> bytes:
    """The true bytes; from now on the media lie."""
    whole = get(sandbox).content
    sandbox.fault(route="/media/*", times=None, lie=lie)
    return whole


def test_a_content_length_may_promise_more_than_comes(sandbox: Sandbox) -> None:
    whole = lies(sandbox, length=500)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        get(sandbox)
    assert get(sandbox, "HEAD").headers["content-length"] == str(len(whole) + 500)


def test_a_content_length_may_promise_less_than_comes(sandbox: Sandbox) -> None:
    whole = lies(sandbox, length=-500)
    assert get(sandbox).content == whole[:-500]


def test_a_range_may_not_be_heard(sandbox: Sandbox) -> None:
    whole = lies(sandbox, deaf=True)
    answer = get(sandbox, Range="bytes=100-199")
    assert (answer.status_code, answer.content) == (200, whole)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("disguised", [False, True])
def test_a_range_may_be_answered_with_another(sandbox: Sandbox, disguised: bool) -> None:
    whole = lies(sandbox, misplaced=50, disguised=disguised)
    answer = get(sandbox, Range="bytes=100-199")
    assert (answer.status_code, answer.content) == (206, whole[150:250])
    told = "bytes 100-199" if disguised else "bytes 150-249"
    assert answer.headers["content-range"] == f"{told}/{len(whole)}"
    assert get(sandbox, Range=f"bytes={len(whole) - 60}-").content == whole[-10:]
    assert get(sandbox, Range=f"bytes={len(whole) - 40}-").status_code == 416


def test_a_file_may_end_too_early_and_all_headers_agree(sandbox: Sandbox) -> None:
    whole = lies(sandbox, whole=1000)
    answer = get(sandbox)
    assert (answer.headers["content-length"], answer.content) == ("1000", whole[:1000])
    part = get(sandbox, Range="bytes=900-")
    assert (part.content, part.headers["content-range"]) == (whole[900:1000], "bytes 900-999/1000")


def test_headers_of_a_real_answer_may_be_others(sandbox: Sandbox) -> None:
    whole = get(sandbox).content
    sandbox.fault(route="/media/*", headers={"Content-Type": "text/html", "X-Odd": "1"})
    answer = get(sandbox)
    assert answer.content == whole
    assert (answer.headers["content-type"], answer.headers["x-odd"]) == ("text/html", "1")
