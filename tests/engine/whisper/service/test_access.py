import os
import stat

import pytest
from pydantic import SecretStr

from engine.settings import Settings, load
from engine.whisper.service.access import made_token, token_of


def test_before_the_first_start_there_is_no_token(settings: Settings) -> None:
    assert token_of(settings) is None


def test_the_token_is_made_once_and_read_by_its_user_alone(settings: Settings) -> None:
    token = made_token(settings)
    assert len(token.get_secret_value()) >= 40
    assert made_token(settings) == token_of(settings) == token
    if os.name != "nt":
        assert stat.S_IMODE(settings.engine_token_file.stat().st_mode) == 0o600
    assert [file.name for file in settings.state_dir.iterdir()] == ["engine.token"]


def test_a_token_that_was_set_is_taken_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(engine_token=SecretStr("chosen"))
    assert made_token(settings).get_secret_value() == "chosen"
    assert not settings.engine_token_file.exists()


def test_an_empty_token_file_is_filled_anew(settings: Settings) -> None:
    settings.state_dir.mkdir(parents=True)
    settings.engine_token_file.write_text("\n", encoding="utf-8")
    assert made_token(settings).get_secret_value()
    assert token_of(settings) == made_token(settings)
