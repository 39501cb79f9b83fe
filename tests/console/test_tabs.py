"""The tabs without a browser: what they show of a library, of wrong settings, of refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.escaping import plain
from engine.adoption.taking import adopt
from engine.errors import BadMedia
from engine.library.shelf import Library, written_at
from engine.settings import load
from engine.steps.in_step import Mending
from sandbox.voice import speak
from tests.engine.adoption.test_adopt import SAID
from tests.engine.adoption.test_texts import old_lines

testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not installed")
PAGE = Path(__file__).parents[2] / "console" / "page.py"


@pytest.fixture
def filled(tmp_path: Path, library: Library) -> Library:
    """A library with one transcript and one failure."""
    talk = tmp_path / "old" / "2024-05-06_The_harbour_dQw4w9WgXcQ.mp3"
    speak("Good morning. The harbour is quiet. Bye.", "en", talk)
    talk.with_suffix(".txt").write_text(old_lines(SAID), encoding="utf-8")
    for other in ("2024-05-07_Other_aaaaaaaaaA1.txt",):
        (talk.parent / other).write_text(old_lines(SAID), encoding="utf-8")
    assert {row.status for row in adopt(talk.parent, load(), yes=True)} == {"done"}
    failed = library.find("aaaaaaaaaA1")
    assert failed is not None
    error = BadMedia("It cannot be read: *nothing* helps.")
    library.record(failed, "upload", written_at("failed", error=str(error), cause="BadMedia"))
    return library


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    import streamlit as st

    yield
    st.cache_data.clear()


def opened(tab: str, **state: Any) -> Any:
    page = testing.AppTest.from_file(str(PAGE), default_timeout=30)
    page.session_state["tab"] = tab
    for name, value in state.items():
        page.session_state[name] = value
    return page.run()


def said(page: Any) -> str:
    kinds = ("markdown", "caption", "text", "info", "error", "warning", "success", "subheader")
    return "\n".join(str(one.value) for kind in kinds for one in getattr(page, kind))


def test_a_wrong_setting_is_told_and_nothing_else_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_PRESET", "quick")
    page = opened("Channels")
    assert not page.exception
    assert "WHISPER_PRESET" in page.error[0].value
    assert not page.tabs


def test_the_sidebar_offers_what_the_machine_does_anyway() -> None:
    page = opened("Channels")
    assert not page.exception
    chosen = {one.label: one.value for one in page.sidebar.selectbox}
    assert chosen == {"Preset": "optimiert", "Model": "(the machine's)", "Language": "auto"}
    assert "GPU" in said(page.sidebar) and "YT_API_KEYS" in said(page.sidebar)


def test_a_channel_that_cannot_be_asked_for_is_explained() -> None:
    page = opened("Channels")
    page.text_input(key="channel").input("@someone").run()
    page.button[0].click().run()
    assert not page.exception
    assert plain("YT_API_KEYS") in page.error[0].value


def test_the_library_lists_searches_and_explains(filled: Library) -> None:
    page = opened("Library")
    assert not page.exception, page.exception
    told = said(page)
    assert "2 of 2" in told
    assert "Failures: 1" in told and "It cannot be read: *nothing* helps." in told
    page.text_input(key="search").input("harbour").run()
    assert "The harbour is quiet." in said(page)
    page.text_input(key="search").input('"').run()
    assert page.error


def test_a_transcript_is_read_beside_its_player_and_can_be_had_in_four_forms(
    filled: Library,
) -> None:
    from console.opening import Opened

    page = opened("Library", open=Opened("dQw4w9WgXcQ", 2.0))
    assert not page.exception, page.exception
    assert "The harbour" in page.subheader[0].value
    page = opened("Library", open=Opened("missing----1"))
    assert "not in the library any more" in page.warning[0].value


def test_without_credentials_the_knowledge_base_says_what_to_set() -> None:
    page = opened("Knowledge base")
    assert not page.exception
    assert "ODIN_API_KEY" in page.info[0].value


def test_a_repair_that_was_not_shown_cannot_be_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIN_API_KEY", "a-key-of-nobody")
    monkeypatch.setenv("ODIN_API_SECRET", "a-secret-of-nobody")
    shown = [Mending(action="upload", name="2024-05-06_Talk_dQw4w9WgXcQ.txt", why="missing")]
    page = opened("Knowledge base", **{"kept-mendings": shown})
    assert not page.exception, page.exception
    assert "Repair" in [one.label for one in page.button]
    page.checkbox(key="left-over").check().run()
    assert "Repair" not in [one.label for one in page.button], "deletions were never shown"


def test_an_address_that_is_none_is_told() -> None:
    page = opened("Transcribe")
    assert not page.exception, page.exception
    page.text_area(key="addresses").input("https://example.org/nothing")
    [ask] = [one for one in page.button if one.label == "Transcribe videos"]
    ask.click().run()
    assert page.error
