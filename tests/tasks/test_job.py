import pytest

from engine.odin.signature import Signature
from tasks.job import Job


def test_a_wish_for_media_goes_over_the_setting_and_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YT_MEDIA_FORMAT", "mp3")
    monkeypatch.setenv("KEEP_MEDIA", "false")
    assert Job().settings().media_format == "best", "what does not stay has no form"
    asked = Job(media="mp4").settings()
    assert (asked.media_format, asked.keep_media) == ("mp4", True)
    plain = Job(media="best").settings()
    assert (plain.media_format, plain.keep_media) == ("best", False)


def test_a_run_without_a_wish_for_media_is_known_as_before() -> None:
    assert Job().parameters() == {"preset": None, "model": None, "language": None}
    assert Job(media="mp3").parameters()["media"] == "mp3"


def test_what_a_run_says_of_its_documents_goes_over_the_settings_and_to_later_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ODIN_CATEGORY", "lecture")
    monkeypatch.setenv("ODIN_ADDED_BY", "Grace")
    job = Job(metadata=Signature(category="interview", author_name="Ada"))
    settings = job.settings()
    assert (settings.odin_category, settings.odin_author_name) == ("interview", "Ada")
    assert (settings.odin_added_by, settings.odin_uploaded_by) == ("Grace", "tonspur")
    assert job.parameters()["metadata"] == {"category": "interview", "author_name": "Ada"}
