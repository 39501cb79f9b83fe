import io
import logging
from pathlib import Path

import pytest
from yt_dlp import YoutubeDL

from engine.errors import BadSettings
from engine.settings import Settings
from engine.youtube.ytdlp_options import RedactedLog, options


def test_every_retry_is_named_and_no_fragment_is_skipped(settings: Settings) -> None:
    chosen = options(settings)
    names = ("retries", "fragment_retries", "extractor_retries", "file_access_retries")
    assert all(chosen[name] >= 3 for name in names)
    assert chosen["skip_unavailable_fragments"] is False
    assert chosen["socket_timeout"] == 20
    assert "cookiefile" not in chosen
    assert chosen["retry_sleep_functions"]["http"](n=3) == 0


def chosen_format(settings: Settings, *formats: dict[str, object]) -> str:
    """What yt-dlp picks of these with our options."""
    base = {"url": "http://127.0.0.1:1/x", "protocol": "http"}
    info = {
        "id": "x",
        "title": "x",
        "extractor": "x",
        "extractor_key": "x",
        "formats": [base | {"format_id": str(f["name"])} | f for f in formats],
    }
    with YoutubeDL(options(settings)) as ytdl:
        found = ytdl.process_ie_result(info, download=False)
    return str(found["format_id"])


def sound(name: str, ext: str, abr: int, language: int = -1) -> dict[str, object]:
    codec = "mp4a.40.2" if ext == "m4a" else "opus"
    return {
        "name": name,
        "ext": ext,
        "abr": abr,
        "acodec": codec,
        "vcodec": "none",
        "language_preference": language,
    }


def test_the_original_language_counts_more_than_the_container(settings: Settings) -> None:
    dubbed, original = sound("dub", "m4a", 128, -1), sound("orig", "webm", 64, 10)
    assert chosen_format(settings, dubbed, original) == "orig"


def test_m4a_comes_before_opus_and_the_better_before_the_worse(settings: Settings) -> None:
    picked = chosen_format(
        settings, sound("139", "m4a", 48), sound("140", "m4a", 128), sound("251", "webm", 160)
    )
    assert picked == "140"


def test_without_sound_alone_a_small_picture_is_taken(settings: Settings) -> None:
    def spoken(name: str, height: int) -> dict[str, object]:
        return film(name, height) | {"acodec": "mp4a"}

    assert chosen_format(settings, spoken("big", 1080), spoken("small", 360)) == "small"
    assert chosen_format(settings, spoken("big", 1080)) == "big"


def film(name: str, height: int, codec: str = "avc1") -> dict[str, object]:
    ext = "mp4" if codec == "avc1" else "webm"
    size = {"height": height, "width": height * 16 // 9}
    return {"name": name, "ext": ext, "acodec": "none", "vcodec": codec} | size


def test_an_mp4_has_at_most_1080_lines_and_what_players_know(settings: Settings) -> None:
    told = settings.model_copy(update={"yt_media_format": "mp4"})
    sounds = (sound("140", "m4a", 128), sound("251", "webm", 160))
    pictures = [film("4k", 2160, "vp9"), film("hd", 1080), film("hd9", 1080, "vp9")]
    assert chosen_format(told, *sounds, *pictures, film("sd", 480)) == "hd+140"
    assert chosen_format(told, *sounds, film("4k", 2160, "vp9")) == "4k+140", "else anything"
    assert chosen_format(told, *sounds) == "140", "else the sound"


def test_an_mp4_has_the_original_language_too(settings: Settings) -> None:
    told = settings.model_copy(update={"yt_media_format": "mp4"})
    dubbed, original = sound("dub", "m4a", 128, -1), sound("orig", "webm", 64, 10)
    assert chosen_format(told, dubbed, original, film("hd", 1080)) == "hd+orig"


def test_media_that_do_not_stay_come_in_no_form_of_their_own(settings: Settings) -> None:
    passing = settings.model_copy(update={"yt_media_format": "mp4", "keep_media": False})
    assert chosen_format(passing, sound("140", "m4a", 128), film("hd", 1080)) == "140"


def test_cookies_are_copied_and_never_rewritten(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tSID\tsecret\n"
    file.write_text(text, encoding="utf-8")
    signed_in = settings.model_copy(update={"yt_cookies_file": file})
    chosen = options(signed_in, cookies=True)
    assert isinstance(chosen["cookiefile"], io.StringIO)
    with YoutubeDL(chosen) as ytdl:
        assert [cookie.name for cookie in ytdl.cookiejar] == ["SID"]
    assert file.read_text(encoding="utf-8") == text


def test_missing_cookies_are_a_bad_setting(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="not set"):
        options(settings, cookies=True)
    gone = settings.model_copy(update={"yt_cookies_file": tmp_path / "none.txt"})
    with pytest.raises(BadSettings, match=r"none\.txt cannot be read"):
        options(gone, cookies=True)


def test_a_provider_of_po_tokens_is_passed_on(settings: Settings) -> None:
    told = settings.model_copy(update={"yt_po_token_provider_url": "http://127.0.0.1:4416"})
    arguments = options(told)["extractor_args"]
    assert arguments == {"youtubepot-bgutilhttp": {"base_url": ["http://127.0.0.1:4416"]}}


def test_a_patient_transfer_is_never_called_throttled(settings: Settings) -> None:
    assert options(settings)["throttledratelimit"]
    assert options(settings, patient=True)["throttledratelimit"] is None


def test_the_log_holds_no_signature(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = RedactedLog()
    for write in (log.debug, log.info, log.warning, log.error):
        write("from https://r1.googlevideo.com/videoplayback?sig=SECRET now")
    assert len(caplog.messages) == 4
    assert "SECRET" not in caplog.text
    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG", "WARNING", "DEBUG"]
