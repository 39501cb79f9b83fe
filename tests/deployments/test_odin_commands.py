"""The commands about the knowledge base as processes, over the stand-in for ODIN AI."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from engine.library.shelf import Library, written_at
from engine.settings import load
from engine.steps.write import write
from engine.transcript import Segment, Transcript
from engine.video import Video
from sandbox import Sandbox, SandboxChannel, SandboxSpec
from sandbox.spec import OdinSpec
from tests.json_lines import lines

Run = Callable[..., subprocess.CompletedProcess[str]]
_projects = count()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    channel = SandboxChannel(id="UC" + "k" * 22, handle="@talks", title="Talks")
    odin = OdinSpec(indexing_s=0.1, project_ids=tuple(f"project{n}" for n in range(20)))
    spec = SandboxSpec(channels=(channel,), odin=odin)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running:
        yield running


@pytest.fixture
def tonspur(sandbox: Sandbox) -> Run:
    project = sandbox.spec.odin.project_ids[next(_projects)]
    known = {**os.environ, **sandbox.environment(), "ODIN_PROJECT_ID": project}

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tonspur", *map(str, arguments)],
            env={**known, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def talk() -> str:
    """The id of a video whose transcript is in the library alone."""
    video = Video(
        video_id="aaaaaaaaaa1",
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
        title="Boats [of] the harbour",
        channel_id="UC" + "k" * 22,
        channel_title="Talks",
    )
    library = Library(load())
    entry = library.place(video)
    said = (Segment(start=75, end=80, text="The harbour was full of fishing boats."),)
    heard = Transcript(language="en", duration_s=90, model="base", preset="stabil", segments=said)
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    library.record(entry, "transcript", written_at("done", model="base", language="en"))
    write(library, entry)
    return video.video_id


def test_a_library_is_compared_mended_listed_and_asked(tonspur: Run, talk: str) -> None:
    verified = tonspur("odin", "verify", "--json")
    assert verified.returncode == 1
    assert [(row["kind"], row["video_id"]) for row in lines(verified)] == [("missing", talk)]
    assert len(verified.stderr.strip().splitlines()) <= 3

    shown = tonspur("odin", "repair", "--json")
    assert (shown.returncode, [row["status"] for row in lines(shown)]) == (0, ["planned"])
    assert lines(tonspur("odin", "list", "--json")) == []

    mended = tonspur("odin", "repair", "--yes", "--json")
    assert mended.returncode == 0, mended.stderr
    assert [(row["action"], row["status"]) for row in lines(mended)] == [("upload", "done")]
    assert tonspur("odin", "verify").returncode == 0

    (document,) = lines(tonspur("odin", "list", "--json"))
    assert document["status"] == "synced"
    assert document["video_id"] == talk
    assert document["document_key"] == lines(mended)[0]["document_key"]

    asked = tonspur("ask", "fishing boats", "--json")
    (hit,) = lines(asked)
    assert (hit["video_id"], hit["start_s"]) == (talk, 75)
    assert str(hit["link"]).endswith(f"watch?v={talk}&t=75s")
    table = tonspur("ask", "fishing boats", COLUMNS="200").stdout
    assert "Boats [of] the harbour" in table
    assert "01:15" in table


def test_the_check_compares_with_the_live_description(tonspur: Run) -> None:
    checked = tonspur("odin", "check", "--json")
    assert checked.returncode == 0, checked.stdout
    rows = lines(checked)
    assert {row["status"] for row in rows} == {"ok"}
    assert len(rows) > 5
    refused = tonspur("odin", "check", "--json", ODIN_API_SECRET="wrong")
    assert refused.returncode == 1
    assert lines(refused)[0]["status"] == "fail"
    assert len(refused.stderr.strip().splitlines()) == 1
    elsewhere = tonspur("odin", "check", "--json", ODIN_PROJECT_ID="unknown")
    assert elsewhere.returncode == 1
    assert "ODIN_PROJECT_ID" in str(lines(elsewhere)[0]["fix"])


def test_without_credentials_each_command_says_so_in_one_line(tonspur: Run) -> None:
    for arguments in (("odin", "list"), ("odin", "verify"), ("odin", "repair"), ("ask", "x")):
        done = tonspur(*arguments, ODIN_API_KEY="", API_KEY="")
        assert done.returncode == 2
        assert "ODIN_API_KEY" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_upload_takes_patterns_and_metadata(tonspur: Run, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "drafts").mkdir(parents=True)
    for name in ("a.md", "b.txt", "drafts/c.md"):
        (folder / name).write_text(f"words of {name}", encoding="utf-8")
    call = ("upload", folder, "--include", "*.md", "--exclude", "drafts/*", "--json")
    done = tonspur(*call, "--metadata", "category=paper", "--metadata", "author_name=Ada")
    assert done.returncode == 0, done.stderr
    (row,) = lines(done)
    assert (row["path"], row["status"], row["reason"]) == (str(folder / "a.md"), "done", None)
    again = tonspur(*call)
    assert lines(again)[0]["status"] == "skipped"
    assert lines(again)[0]["document_key"] == row["document_key"]

    wrong = tonspur("upload", folder, "--metadata", "colour=red")
    assert wrong.returncode == 2
    assert "author_name, uploaded_by, added_by, category" in wrong.stderr


def test_a_search_needs_no_knowledge_base(tonspur: Run, talk: str) -> None:
    alone = {"ODIN_API_KEY": "", "ODIN_API_SECRET": ""}
    found = tonspur("search", '"fishing boats"', "--json", **alone)
    assert found.returncode == 0, found.stderr
    [hit] = lines(found)
    assert (hit["video_id"], hit["start_s"]) == (talk, 75)
    assert "&t=75s" in str(hit["link"])
    table = tonspur("search", "harb*", **alone, COLUMNS="200").stdout
    assert "Boats [of] the harbour" in table
    assert "01:15" in table
    nothing = tonspur("search", "submarine", **alone)
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert tonspur("search", "?!", **alone).returncode == 2
