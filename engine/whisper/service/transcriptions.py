"""OpenAI's form of a transcription, so that other programs share the one GPU.

https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from engine.transcript import Transcript, render
from engine.whisper import presets
from engine.whisper.checkpoints import HUB_IDS, check_name
from engine.whisper.messages import Done, Prepared, PrepareJob, TranscribeJob, Transcription, Wishes
from engine.whisper.service import waiting
from engine.whisper.service.here import Here

router = APIRouter(prefix="/v1")

CONFIGURED = "whisper-1"
"""OpenAI's name of its model: here the one of WHISPER_MODEL."""
Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]


@router.get("/models")
def models() -> dict[str, object]:
    """The names that may be asked for; folders and hub ids will do too."""
    names = (CONFIGURED, *HUB_IDS)
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in names
        ],
    }


@router.post("/audio/transcriptions")
async def transcribe(
    here: Here,
    request: Request,
    file: UploadFile,
    model: Annotated[str, Form()],
    language: Annotated[str | None, Form()] = None,
    response_format: Annotated[Format, Form()] = "json",
    granularities: Annotated[
        list[Granularity] | None, Form(alias="timestamp_granularities[]")
    ] = None,
) -> Response:
    """Transcribe an uploaded recording. Prompt and temperature are taken and have no effect."""
    if model != CONFIGURED:
        check_name(model)
    settings = here.settings
    wishes = Wishes.of(settings).model_copy(
        update={
            "model": settings.whisper_model if model == CONFIGURED else model,
            "language": language or settings.whisper_language,
            "words": "word" in (granularities or ()),
        }
    )
    preset = presets.chosen(settings)
    with _kept(settings.uploads_dir) as folder:
        source = folder / "media"
        await asyncio.to_thread(_copy, file.file, source)
        prepare = PrepareJob(source=source, folder=folder / "prepared", preset=preset)
        prepared = await waiting.ending(here.desk, prepare, request)
        assert isinstance(prepared, Prepared)  # noqa: S101
        job = TranscribeJob(prepared=prepared.prepared, preset=preset, wishes=wishes)
        done = await waiting.ending(here.desk, job, request)
        assert isinstance(done, Done)  # noqa: S101
    return _FORMS[response_format](done.transcription)


@contextmanager
def _kept(uploads: Path) -> Iterator[Path]:
    """A folder that goes away with the request."""
    folder = uploads / secrets.token_hex(8)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(upload: BinaryIO, target: Path) -> None:
    with target.open("xb") as out:
        shutil.copyfileobj(upload, out, 1 << 20)


def _text(done: Transcription) -> str:
    return " ".join(segment.text for segment in done.segments)


def _as_json(done: Transcription) -> Response:
    return JSONResponse({"text": _text(done)})


def _as_text(done: Transcription) -> Response:
    return PlainTextResponse(f"{_text(done)}\n")


def _as_file(extension: str) -> Callable[[Transcription], Response]:
    def written(done: Transcription) -> Response:
        transcript = Transcript(
            language=done.language,
            duration_s=done.duration_s,
            model=done.model,
            preset=done.preset,
            segments=done.segments,
        )
        return PlainTextResponse(render(transcript, (), extension))

    return written


def _verbose(done: Transcription) -> Response:
    """What the decoder does not report of a segment is null."""
    segments: list[dict[str, Any]] = [
        {
            "id": number,
            "seek": 0,
            "start": segment.start,
            "end": segment.end,
            "text": segment.text,
            "tokens": [],
            "temperature": None,
            "avg_logprob": None,
            "compression_ratio": None,
            "no_speech_prob": None,
        }
        for number, segment in enumerate(done.segments)
    ]
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": done.language or "",
        "duration": done.duration_s,
        "text": _text(done),
        "segments": segments,
    }
    words = [word for segment in done.segments for word in segment.words or ()]
    if words:
        answer["words"] = [
            {"word": word.text.strip(), "start": word.start, "end": word.end} for word in words
        ]
    return JSONResponse(answer)


_FORMS: dict[Format, Callable[[Transcription], Response]] = {
    "json": _as_json,
    "text": _as_text,
    "srt": _as_file(".srt"),
    "vtt": _as_file(".vtt"),
    "verbose_json": _verbose,
}
