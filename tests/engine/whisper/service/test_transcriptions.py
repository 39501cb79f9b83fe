"""OpenAI's own client speaks to the engine."""

import threading
from pathlib import Path

import openai
import pytest

from engine.audio.preparation import PreparedAudio
from tests.engine.whisper.service.conftest import Running, wait_until


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    token = running.http.headers["Authorization"].removeprefix("Bearer ")
    return openai.OpenAI(api_key=token, base_url=f"{running.url}/v1", max_retries=0)


def test_the_usual_call_gives_the_text(client: openai.OpenAI, talk: PreparedAudio) -> None:
    with talk.wav.open("rb") as file:
        said = client.audio.transcriptions.create(model="whisper-1", file=file)
    assert "fishing boats" in said.text


@pytest.mark.parametrize(
    ("form", "begin"), [("text", "The har"), ("srt", "1\n00:00:00,"), ("vtt", "WEBVTT\n\n00:")]
)
def test_text_and_subtitles(
    client: openai.OpenAI, talk: PreparedAudio, form: str, begin: str
) -> None:
    said = client.audio.transcriptions.create(
        model="base", file=talk.wav, language="en", response_format=form
    )
    assert isinstance(said, str)
    assert said.startswith(begin)
    assert "fishing boats" in said


def test_segments_and_words_have_times(client: openai.OpenAI, talk: PreparedAudio) -> None:
    said = client.audio.transcriptions.create(
        model="whisper-1",
        file=talk.wav,
        response_format="verbose_json",
        timestamp_granularities=["segment", "word"],
        temperature=0.0,
        prompt="A harbour.",
    )
    assert said.language == "en"
    assert said.duration == pytest.approx(talk.duration_s)
    assert said.segments
    assert [segment.id for segment in said.segments] == list(range(len(said.segments)))
    assert all(segment.start < segment.end <= talk.duration_s for segment in said.segments)
    assert said.words
    assert " ".join(word.word for word in said.words) == said.text


def test_words_come_only_when_asked_for(client: openai.OpenAI, talk: PreparedAudio) -> None:
    said = client.audio.transcriptions.create(
        model="whisper-1", file=talk.wav, response_format="verbose_json"
    )
    assert not said.words


def test_its_models_are_listed(client: openai.OpenAI) -> None:
    assert {"whisper-1", "large-v3", "base"} <= {model.id for model in client.models.list()}


def test_what_cannot_be_done_is_told_as_openai_tells_it(
    client: openai.OpenAI, running: Running, talk: PreparedAudio, tmp_path: Path
) -> None:
    with pytest.raises(openai.NotFoundError, match="no model `nonsense`"):
        client.audio.transcriptions.create(model="nonsense", file=talk.wav)
    with pytest.raises(openai.BadRequestError, match="response_format"):
        client.audio.transcriptions.create(
            model="whisper-1",
            file=talk.wav,
            response_format="poem",  # type: ignore[call-overload]
        )
    with pytest.raises(openai.BadRequestError, match="Whisper knows no `xx`"):
        client.audio.transcriptions.create(model="whisper-1", file=talk.wav, language="xx")
    (tmp_path / "text.mp3").write_text("no media", encoding="utf-8")
    with pytest.raises(openai.BadRequestError):
        client.audio.transcriptions.create(model="whisper-1", file=tmp_path / "text.mp3")
    stranger = client.with_options(api_key="wrong")
    with pytest.raises(openai.AuthenticationError, match="token"):
        stranger.audio.transcriptions.create(model="whisper-1", file=talk.wav)
    assert not list(running.settings.uploads_dir.glob("*"))


def test_a_client_that_gives_up_frees_the_slot(
    client: openai.OpenAI, running: Running, long_talk: PreparedAudio
) -> None:
    def give_up() -> None:
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=4).audio.transcriptions.create(
                model="whisper-1", file=long_talk.wav
            )

    impatient = threading.Thread(target=give_up)
    impatient.start()
    wait_until(lambda: running.queue()["running"] == 1, 10)
    impatient.join()
    assert wait_until(lambda: running.queue()["running"] == 0, 2.0) < 2.0
    wait_until(lambda: not list(running.settings.uploads_dir.glob("*")), 2.0)
