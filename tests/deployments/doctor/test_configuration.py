from pathlib import Path

import pytest

from deployments.doctor.configuration import as_far_as_usable
from engine.settings import Settings


def test_a_settings_file_in_another_encoding_is_told_and_the_environment_still_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("WHISPER_MODEL=small\n", encoding="utf-16")
    monkeypatch.setenv("WHISPER_PRESET", "stabil")
    settings, [row] = as_far_as_usable()
    assert (row.check, row.status) == ("settings file", "fail")
    assert "UTF-8" in str(row.fix)
    assert (settings.whisper_preset, settings.whisper_model) == ("stabil", None)


def test_both_folders_may_be_wrong_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIBRARY_DIR", str(tmp_path / ("x" * 300)))
    (tmp_path / "file").touch()
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "file"))
    settings, rows = as_far_as_usable()
    assert [row.check for row in rows] == ["setting LIBRARY_DIR", "setting STATE_DIR"]
    assert settings.library_dir == Path("library").absolute()


def test_a_secret_that_cannot_be_used_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:schlüssel")
    settings, [row] = as_far_as_usable()
    assert row.check == "setting PREFECT_SERVER_API_AUTH_STRING"
    assert "schlüssel" not in row.model_dump_json()
    assert settings.prefect_server_api_auth_string is None


def test_defaults_that_cannot_be_used_either_end_the_search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIBRARY_DIR", str(tmp_path / ("x" * 300)))
    Path("library").touch()
    with pytest.raises(ValueError, match="LIBRARY_DIR"):
        as_far_as_usable()


def test_settings_that_are_right_are_one_line() -> None:
    settings, [row] = as_far_as_usable()
    assert row.status == "ok"
    assert settings == Settings()
