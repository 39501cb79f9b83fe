import gzip
from typing import Any

import pytest

from engine.errors import NetworkTrouble, ServiceTrouble
from engine.youtube import transport


def test_a_whole_answer_comes_back_whatever_its_status(google: Any, a_reply: Any) -> None:
    google.answer = lambda request: a_reply(404, b"gone", {"X-Told": "yes"})
    with transport.client() as http:
        reply = transport.fetch(http, f"{google.root}x", {"a": "b"})
    assert (reply.status, reply.content, reply.headers["x-told"]) == (404, b"gone", "yes")
    assert google.requests[0].headers["a"] == "b"


def test_a_redirect_is_not_followed(google: Any, a_reply: Any) -> None:
    google.answer = lambda request: a_reply(302, b"", {"Location": "http://elsewhere.invalid/"})
    with transport.client() as http:
        assert transport.fetch(http, google.root, {}).status == 302
    assert len(google.requests) == 1


def test_a_large_answer_is_cut_off_after_decompression(google: Any, a_reply: Any) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    google.answer = lambda request: a_reply(200, bomb, {"Content-Encoding": "gzip"})
    with transport.client() as http, pytest.raises(ServiceTrouble, match="more than 100000 bytes"):
        transport.fetch(http, google.root, {}, largest=100_000)


def test_a_damaged_answer_is_the_services_trouble(google: Any, a_reply: Any) -> None:
    google.answer = lambda request: a_reply(200, b"no gzip", {"Content-Encoding": "gzip"})
    with transport.client() as http, pytest.raises(ServiceTrouble, match="damaged"):
        transport.fetch(http, google.root, {})


def test_a_slow_answer_ends(google: Any, a_reply: Any) -> None:
    google.answer = lambda request: a_reply(200, b"x" * 10)
    ticks = iter([0.0, 1000.0])
    with transport.client() as http, pytest.raises(NetworkTrouble, match="too slowly"):
        transport.fetch(http, google.root, {}, clock=lambda: next(ticks))


def test_a_dropped_connection_is_sent_once(google: Any, a_reply: Any) -> None:
    google.answer = lambda request: a_reply(drop=True)
    with transport.client() as http, pytest.raises(NetworkTrouble) as trouble:
        transport.fetch(http, f"{google.root}x?secret=1", {})
    assert len(google.requests) == 1
    assert "secret" not in str(trouble.value)
    assert trouble.value.__context__ is None


def test_nobody_there_is_network_trouble() -> None:
    with transport.client() as http, pytest.raises(NetworkTrouble, match=r"127\.0\.0\.1"):
        transport.fetch(http, "http://127.0.0.1:1/", {})


def test_only_reading_is_possible() -> None:
    http = transport.ApiHttp()
    with pytest.raises(ValueError, match="POST"):
        http.request("http://127.0.0.1:1/", method="POST", body="x")
    http.close()
