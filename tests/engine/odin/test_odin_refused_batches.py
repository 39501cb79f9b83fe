"""What stops a batch stops it at once: one sentence, one request, nothing marked done."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from engine.errors import RefusedCredentials
from engine.library.shelf import Library, written_at
from engine.odin import Receipts, upload_documents
from engine.settings import Settings, load
from engine.steps.upload import upload
from engine.steps.write import write
from engine.transcript import Segment, Transcript
from engine.video import Video
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
        file.write_text(f"words of {file.name} {next(_projects)}", encoding="utf-8")
    before, asked = uploads(sandbox), sum(sandbox.counts().requests.values())
    first, *rest = upload_documents(files, settings)
    assert (first.status, {row.status for row in rest}) == ("failed", {"deferred"})
    assert said in str(first.reason)
    assert "\n" not in str(first.reason)
    assert all(said in str(row.reason) for row in rest)
    assert uploads(sandbox) - before <= 1
    assert sum(sandbox.counts().requests.values()) - asked <= 3, "two looks and one upload"
    assert all(Receipts(settings).of(file) is None for file in files)


def test_a_transcripts_upload_is_failed_and_not_done(refused: tuple[Settings, str]) -> None:
    settings, said = refused
    library = Library(settings)
    entry = library.place(
        Video(video_id="aaaaaaaaaa1", published_at=datetime(2026, 1, 1, tzinfo=UTC), title="Talk")
    )
    heard = Transcript(
        language="en",
        duration_s=9,
        model="m",
        preset="p",
        segments=(Segment(start=0, end=1, text="Hello."),),
    )
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    library.record(entry, "transcript", written_at("done"))
    write(library, entry)
    with pytest.raises(RefusedCredentials, match=said):
        upload(library, entry, settings)
    record = library.read(entry).steps["upload"]
    assert (record.status, record.cause, record.document_key) == (
        "failed",
        "RefusedCredentials",
        None,
    )
