"""What a part does before it works: it looks who is there, waits, or says why it cannot."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deployments import parts, recovery
from deployments.server import Server, free_port
from engine.errors import BadSettings
from engine.running import RunningCard, card_file
from engine.settings import Settings, load


class Well(BaseHTTPRequestHandler):
    """Answers that it is well."""

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[str]:
    other = HTTPServer(("127.0.0.1", 0), Well)
    thread = threading.Thread(target=other.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{other.server_port}/api"
    other.shutdown()
    thread.join()
    other.server_close()


def test_a_server_of_its_own_is_not_started_beside_one_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with pytest.raises(BadSettings, match="unset it here"):
        parts.run_server(load(), print)


def test_a_second_worker_is_told_of_the_first_before_it_waits_for_a_server(
    settings: Settings,
) -> None:
    RunningCard.of().write(card_file(settings, "worker"))
    said: list[str] = []
    parts.run_worker(settings, said.append, sleep=lambda seconds: pytest.fail("it waited"))
    assert said == ["The worker runs already."]


def test_a_server_that_does_not_answer_is_waited_for_and_told_once(
    settings: Settings, answering: str
) -> None:
    said: list[str] = []
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 40:
            RunningCard.of(url=answering).write(card_file(settings, "prefect-server"))

    parts.wait_for_server(settings, said.append, sleep)
    assert looks == 40
    assert said == ["Waiting for this machine's Prefect server …"]


def test_a_server_at_another_address_is_noticed_and_a_dead_one_is_waited_for(
    settings: Settings, answering: str
) -> None:
    card = card_file(settings, "prefect-server")
    known = Server(settings)
    known.url = answering
    assert not parts._has_moved(known, settings)
    RunningCard.of(url=answering).write(card)
    assert not parts._has_moved(known, settings)
    known.url = f"http://127.0.0.1:{free_port(0)}/api"
    assert parts._has_moved(known, settings)
    RunningCard.of(url=f"http://127.0.0.1:{free_port(0)}/api").write(card)
    assert not parts._has_moved(known, settings)


def test_prefects_client_gives_up_at_once_while_somebody_looks_after_the_server() -> None:
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES

    before = PREFECT_CLIENT_MAX_RETRIES.value()
    with recovery.impatient():
        assert PREFECT_CLIENT_MAX_RETRIES.value() == 0
    assert PREFECT_CLIENT_MAX_RETRIES.value() == before
