import json
from pathlib import Path

import pytest

from deployments import server
from deployments.server import PREFERRED_PORT, Server, free_port
from engine.errors import BadSettings, ServiceTrouble
from engine.settings import Settings, load


@pytest.mark.e2e
def test_a_server_of_somebody_else_is_not_taken_for_ours(settings: Settings, foreign: int) -> None:
    mine = Server(settings)
    with pytest.raises(ServiceTrouble, match="did not start"):
        mine._start(foreign)
    assert server.find(settings) is None
    assert list((settings.state_dir / "run").glob("*.json")) == []


def test_a_remote_server_is_used_as_it_is_and_must_answer(
    foreign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{foreign}/api")
    remote = Server(load())
    assert remote.ensure() is False
    assert remote.alive
    remote.restart()
    remote.stop()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port(0)}/api")
    with pytest.raises(ServiceTrouble, match="does not answer"):
        Server(load()).ensure()


def test_a_server_that_asks_for_another_password_is_told_in_one_sentence(
    foreign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{foreign}/guarded/api")
    with pytest.raises(BadSettings, match="asks for a password"):
        Server(load()).ensure()
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "operator:wrong")
    with pytest.raises(BadSettings, match="asks for another password") as refused:
        Server(load()).ensure()
    assert "wrong" not in str(refused.value)
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "operator:right")
    assert Server(load()).ensure() is False


@pytest.mark.parametrize("name", ["PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"])
def test_one_password_is_given_to_the_server_and_to_its_clients(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [key for key in Server(load()).environment() if "AUTH" in key]
    monkeypatch.setenv(name, "operator:hush")
    settings = load()
    assert Server(settings).environment()["PREFECT_API_AUTH_STRING"] == "operator:hush"
    assert server._demanded(settings) == {"PREFECT_SERVER_API_AUTH_STRING": "operator:hush"}
    assert "hush" not in repr(settings)


def test_a_password_that_the_server_could_not_compare_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "operator:schlüssel")
    with pytest.raises(BadSettings, match=r"PREFECT_SERVER_API_AUTH_STRING: must be") as refused:
        load()
    assert "schlüssel" not in str(refused.value)


def test_a_port_that_is_taken_is_passed_over(foreign: int) -> None:
    assert free_port(foreign) != foreign


def test_a_card_of_a_server_that_has_ended_finds_nobody(settings: Settings) -> None:
    card = settings.state_dir / "run" / "prefect-server.json"
    card.parent.mkdir(parents=True)
    content = {"pid": 1, "created": 0.0, "url": f"http://127.0.0.1:{PREFERRED_PORT}/api"}
    card.write_text(json.dumps(content), encoding="utf-8")
    assert server.find(settings) is None


def test_prefect_keeps_its_files_under_the_state_folder(settings: Settings) -> None:
    environment = server.environment(settings)
    assert Path(environment["PREFECT_HOME"]).parent == settings.state_dir
