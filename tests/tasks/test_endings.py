from datetime import UTC, datetime

from engine.errors import BotWall, IndexingFailed, LiveVideo, MembersOnly
from flows.endings import ending
from tasks.job import Job


def test_a_permanent_failure_says_its_cause_in_the_states_name() -> None:
    state = ending(MembersOnly("For members."))
    assert state.is_failed()
    assert state.name == "Permanent: members only"
    assert (state.message or "").startswith("For members. ")


def test_a_temporary_failure_is_told_apart() -> None:
    assert ending(IndexingFailed("x")).name == "Temporary: indexing failed"


def test_deferred_work_is_no_failure() -> None:
    state = ending(LiveVideo("On air.", datetime(2026, 5, 6, 12, tzinfo=UTC)))
    assert state.is_completed()
    assert state.name == "Deferred"
    assert "2026-05-06 12:00 UTC" in (state.message or "")


def test_who_meets_the_bot_wall_has_failed() -> None:
    assert ending(BotWall("Wall.", datetime(2026, 5, 6, tzinfo=UTC))).is_failed()


def test_a_jobs_wishes_go_over_the_settings() -> None:
    settings = Job("stabil", "tiny", "de").settings()
    assert settings.whisper_preset == "stabil"
    assert (settings.whisper_model, settings.whisper_language) == ("tiny", "de")
    assert Job().settings().whisper_preset == "optimiert"
