import re
from pathlib import Path

import pytest

from engine.errors import BadSettings
from engine.settings import Settings, environment, load


def test_a_dotenv_in_the_working_directory_is_read() -> None:
    Path(".env").write_text("API_KEY=k\nAPI_SECRET=s\nWHISPER_PRESET=stabil\n", encoding="utf-8")
    settings = load()
    assert settings.odin_api_key is not None
    assert settings.odin_api_key.get_secret_value() == "k"
    assert settings.whisper_preset == "stabil"


def test_keys_come_from_environment_and_file_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YT_API_KEYS", "one, two,,")
    Path("YT_API_keys.txt").write_text("# mine\n\ntwo\nthree # old\n", encoding="utf-8")
    assert [key.get_secret_value() for key in load().api_keys] == ["one", "two", "three"]


def test_a_missing_keys_file_is_no_error() -> None:
    assert load().api_keys == ()


def test_secrets_do_not_show_in_a_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIN_API_KEY", "hush-hush")
    monkeypatch.setenv("YT_API_KEYS", "hush-too")
    assert "hush" not in repr(load())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WHISPER_PRESET", "fast"),
        ("WHISPER_BATCH", "many"),
        ("WHISPER_LANGUAGE", "german!"),
        ("YT_WATCH_URL", "https://x/watch"),
        ("ODIN_BASE_URL", "api.getodin.ai"),
        ("ODIN_MAX_FILE_MB", "0"),
    ],
)
def test_a_bad_value_is_told_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=name):
        load()


def test_a_library_that_is_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    for bad in (file, file / "below"):
        monkeypatch.setenv("LIBRARY_DIR", str(bad))
        with pytest.raises(BadSettings, match="LIBRARY_DIR"):
            load()


def test_a_link_to_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    monkeypatch.setenv("LIBRARY_DIR", str(link))
    with pytest.raises(BadSettings, match="link"):
        load()


def test_an_environment_made_of_settings_gives_the_same_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YT_API_KEYS", "one,two")
    monkeypatch.setenv("ODIN_API_KEY", "k")
    monkeypatch.setenv("WHISPER_BATCH", "4")
    before = load()
    for name, value in environment(before).items():
        monkeypatch.setenv(name, value)
    assert load() == before


def test_every_setting_stands_in_the_example_file_with_its_default() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_a_settings_file_that_is_no_utf_8_is_a_wrong_setting_and_no_bug() -> None:
    Path(".env").write_text("WHISPER_MODEL=small\n", encoding="utf-16")
    with pytest.raises(BadSettings, match=r"\.env is no UTF-8 text"):
        load()


def test_a_folder_that_cannot_be_reached_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIBRARY_DIR", str(tmp_path / ("x" * 300)))
    with pytest.raises(BadSettings, match="LIBRARY_DIR: .* cannot be reached"):
        load()
