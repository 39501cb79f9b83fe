"""What stops a batch stops it at once: one sentence, one request, nothing marked done."""

import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RefusedCredentials
from engine.library.shelf import Entry, Library, written_at
from engine.odin import Receipts, upload_documents
from engine.settings import Settings, environment, load
from engine.steps import marks
from engine.steps.local_way import placed, walk
from engine.steps.upload import upload
from engine.transcript import Segment, Transcript
from engine.whisper.client import Engine
from sandbox import Sandbox, SandboxChannel, SandboxSpec
from sandbox.spec import OdinSpec

CHANNEL = SandboxChannel(id="UC" + "a" * 22, handle="@nobody", title="Nobody")
_projects = count()
REFUSALS = {
    "a viewer's key": (
        {"odin_api_key": "viewer_key", "odin_api_secret": "viewer_secret"},
        "read-only",
    ),
    "a wrong key": ({"odin_api_key": "secret"}, "Invalid API key"),
    "a wrong secret": ({"odin_api_secret": "key"}, "Invalid API key"),
    "somebody else's project": ({"odin_project_id": "key"}, "access to this project"),
    "no credits": ({}, "Not enough credits"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    odin = OdinSpec(indexing_s=0.0, project_ids=tuple(f"p{n}" for n in range(30)))
    spec = SandboxSpec(channels=(CHANNEL,), odin=odin)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running:
        yield running


@pytest.fixture(params=REFUSALS, ids=str)
def refused(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[tuple[Settings, str]]:
    """Settings with which ODIN AI refuses every upload, and a part of its sentence."""
    bad, said = REFUSALS[request.param]
    odin = sandbox.spec.odin
    good = {
        "odin_base_url": sandbox.url,
        "odin_api_key": odin.key,
        "odin_api_secret": odin.secret,
        "odin_project_id": odin.project_ids[next(_projects)],
    }
    before = sandbox.spec
    if request.param == "no credits":
        poor = odin.model_copy(update={"credits": 0})
        sandbox.change(before.model_copy(update={"odin": poor}))
    yield load(**good | {name: getattr(odin, value) for name, value in bad.items()}), said
    sandbox.change(before)


def uploads(sandbox: Sandbox) -> int:
    return sandbox.counts().requests.get("POST /v3/project/knowledge/add/file", 0)


def test_a_batch_of_files_stops_at_the_first(
    refused: tuple[Settings, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    settings, said = refused
    files = [tmp_path / f"{name}.txt" for name in "abc"]
    for file in files:
        file.write_text(f"words of {file.name}", encoding="utf-8")
    before, asked = uploads(sandbox), sum(sandbox.counts().requests.values())
    first, *rest = upload_documents(files, settings)
    assert (first.status, {row.status for row in rest}) == ("failed", {"deferred"})
    assert said in str(first.reason)
    assert "\n" not in str(first.reason)
    assert all(said in str(row.reason) for row in rest)
    assert uploads(sandbox) - before <= 1
    assert sum(sandbox.counts().requests.values()) - asked <= 3, "two looks and one upload"
    assert all(Receipts(settings).of(file) is None for file in files)


def test_a_transcripts_upload_is_failed_and_not_done(
    refused: tuple[Settings, str], shelved: Callable[[Settings], tuple[Library, Entry]]
) -> None:
    settings, said = refused
    library, entry = shelved(settings)
    with pytest.raises(RefusedCredentials, match=said):
        upload(library, entry, settings)
    record = library.read(entry).steps["upload"]
    assert (record.status, record.cause, record.document_key) == (
        "failed",
        "RefusedCredentials",
        None,
    )


def tonspur(settings: Settings, *arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "tonspur", *map(str, arguments), "--json"],
        env={**os.environ, **environment(settings)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("refused", ["a viewer's key", "a wrong key", "no credits"], indirect=True)
def test_the_command_ends_with_1_and_one_line(
    refused: tuple[Settings, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    settings, said = refused
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("a.txt", "b.pdf", "c.md"):
        (folder / name).write_text(name, encoding="utf-8")
    before = uploads(sandbox)
    status, rows, told = tonspur(settings, "upload", folder, tmp_path / "gone.txt")
    assert status == 1
    assert [row["status"] for row in rows] == ["failed", "deferred", "deferred", "failed"]
    assert said in rows[0]["reason"]
    assert said in told
    assert uploads(sandbox) - before <= 1


@pytest.mark.parametrize("refused", ["a wrong secret", "no credits"], indirect=True)
def test_recordings_stop_with_the_first_refusal_too(
    refused: tuple[Settings, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    settings, said = refused
    folder = tmp_path / "talks"
    folder.mkdir()
    library, places = Library(settings), []
    for name in "ab":
        recording = folder / f"{name}.wav"
        with wave.open(str(recording), "wb") as sound:
            sound.setparams((1, 2, 16_000, 0, "NONE", ""))
            sound.writeframes(os.urandom(32_000))
        places.append(transcribed(library, recording, settings))
    before = uploads(sandbox)
    with Engine(settings) as engine, pytest.raises(RefusedCredentials, match=said):
        walk(folder / "a.wav", settings, engine, uploading=True)
    status, rows, _ = tonspur(settings, "file", folder)
    assert (status, [row["status"] for row in rows]) == (1, ["failed", "deferred"])
    assert said in rows[0]["reason"]
    first, second = (library.read(entry).steps.get("upload") for entry in places)
    assert first is not None
    assert (first.status, first.cause, second) == ("failed", "RefusedCredentials", None)
    assert uploads(sandbox) - before <= 2, "one for each batch"


def transcribed(library: Library, recording: Path, settings: Settings) -> Entry:
    """A recording as it is when its transcript was made before, but never uploaded."""
    entry = placed(library, recording)
    heard = Transcript(
        language="en",
        duration_s=1,
        model="m",
        preset="p",
        segments=(Segment(start=0, end=1, text=recording.stem),),
    )
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    mark = marks.of_transcript(library.read(entry), settings)
    library.record(entry, "transcript", written_at("done", fingerprint=mark))
    return entry


@pytest.fixture
def fine(sandbox: Sandbox) -> Iterator[Settings]:
    """Settings that ODIN AI takes; its ways are those of before at the end."""
    odin = sandbox.spec.odin
    before = sandbox.spec
    yield load(
        odin_base_url=sandbox.url,
        odin_api_key=odin.key,
        odin_api_secret=odin.secret,
        odin_project_id=odin.project_ids[next(_projects)],
    )
    sandbox.drop_faults()
    sandbox.change(before)


@pytest.mark.parametrize("by_403", [False, True])
def test_credits_that_end_in_the_middle_keep_what_is_done_and_touch_no_more(
    fine: Settings, sandbox: Sandbox, tmp_path: Path, by_403: bool
) -> None:
    if by_403:
        said = {"detail": "You have no credits left"}
        route = "/v3/project/knowledge/add/file"
        sandbox.fault(route=route, skip=1, times=None, status=403, body=said)
    else:
        enough = sandbox.counts().credits + 1
        poor = sandbox.spec.odin.model_copy(update={"credits": enough})
        sandbox.change(sandbox.spec.model_copy(update={"odin": poor}))
    files = [tmp_path / f"{name}.txt" for name in "abcd"]
    for file in files:
        file.write_text(file.name, encoding="utf-8")
    before, stored = uploads(sandbox), sandbox.counts().uploads
    rows = []
    for row in upload_documents(files, fine):
        rows.append(row)
        if row.status == "failed":
            asked = sandbox.counts().requests
    assert [row.status for row in rows] == ["done", "failed", "deferred", "deferred"]
    assert "credits do not allow" in str(rows[1].reason)
    assert sandbox.counts().requests == asked, "nothing after the refusal"
    assert (uploads(sandbox) - before, sandbox.counts().uploads - stored) == (2, 1)
    receipts = Receipts(fine)
    assert [receipts.of(file) is not None for file in files] == [True, False, False, False]
