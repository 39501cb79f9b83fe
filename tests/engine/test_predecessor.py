"""One rule for each fault of the application before this one, TB1 to TB18, with real parts."""

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any, cast

import numpy as np
import psutil
import pytest
import torch
from numpy.typing import NDArray
from prefect import task
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed
from transformers import WhisperConfig

from engine.audio.decoding import Aborted, ffmpeg_program
from engine.audio.level import PEAK_CEILING_DBFS, TARGET_LUFS
from engine.audio.preparation import PreparedAudio, prepare
from engine.audio.windows import Window
from engine.errors import BadSettings, DiskFull, EngineDied, NotMedia
from engine.gpu.memory import Footprint, Room, rows_that_fit
from engine.gpu.tuning import tune
from engine.library import atomic, names
from engine.library.shelf import Library
from engine.odin import OdinClient
from engine.settings import Settings, load
from engine.steps import marks
from engine.steps.local_way import placed, walk
from engine.transcript import FORMS, Segment, Transcript, render
from engine.video import Video
from engine.whisper.checkpoints import resolve
from engine.whisper.client import Engine
from engine.whisper.cpu import CpuBackend
from engine.whisper.language import check_language
from engine.whisper.model import Model
from engine.whisper.model import load as load_model
from engine.whisper.presets import PRESETS, chosen
from engine.whisper.ragged import RaggedBatch
from engine.whisper.transcriber import Transcriber
from sandbox.life import Sandbox
from sandbox.spec import OdinSpec, SandboxChannel, SandboxSpec
from sandbox.voice import speak
from tasks.retries import STEP, TRIES_MORE, worth_retrying
from tests.engine.whisper.conftest import tiny_checkpoint

REPOSITORY = Path(__file__).resolve().parents[2]
STABIL = PRESETS["stabil"]
HARBOUR = (
    "The water was quiet that morning. Three fishing boats had come back before sunrise. "
    "Nobody in the village expected a storm before the end of the week."
)
LIBRARY = "The library opens at nine in the morning. Please bring back the books."
GIB = 1024**3

Ffmpeg = Callable[..., Path]


class CountedEngine(Engine):
    """The real engine; notes which recordings it was given."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.prepared: list[Path] = []
        self.transcribed: list[Path] = []

    def prepare(self, source: Path, folder: Path, *rest: Any, **more: Any) -> PreparedAudio:
        self.prepared.append(source)
        return super().prepare(source, folder, *rest, **more)

    def transcribe(self, prepared: PreparedAudio, *rest: Any, **more: Any) -> Any:
        self.transcribed.append(prepared.wav)
        return super().transcribe(prepared, *rest, **more)


@pytest.fixture(scope="module")
def running(base_state: Path) -> Iterator[CountedEngine]:
    settings = load(state_dir=base_state, whisper_model="base", whisper_device="cpu")
    with CountedEngine(settings) as engine:
        yield engine


@pytest.fixture
def engine(running: CountedEngine) -> CountedEngine:
    """One model process for all tests, with fresh notes."""
    running.prepared.clear()
    running.transcribed.clear()
    return running


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two short talks, `harbour.wav` and `library.wav`."""
    folder = tmp_path_factory.mktemp("spoken")
    speak(HARBOUR, "en", folder / "harbour.wav")
    speak(LIBRARY, "en", folder / "library.wav")
    return folder


@pytest.fixture(scope="module")
def talk(spoken: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedAudio:
    return prepare(spoken / "harbour.wav", tmp_path_factory.mktemp("talk"), STABIL)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder of the user's, which is not where the command runs."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def words(segments: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def load_short_of_room(*arguments: Any) -> Model:
    """The real checkpoint; its rows are full before their last segment has an end."""
    model = load_model(*arguments)
    model.decoder.capacity = 16
    return model


def samples(wav: Path) -> NDArray[np.int16]:
    with wave.open(str(wav)) as file:
        assert file.getparams()[:3] == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def model_processes() -> list[int]:
    children = psutil.Process().children()
    return [c.pid for c in children if "engine.whisper.process" in " ".join(c.cmdline())]


def test_tb01_a_transcript_stands_beside_its_media_and_is_found_again(
    media: Path, spoken: Path, base_settings: Settings, engine: CountedEngine
) -> None:
    files = [media / day / "talk.wav" for day in ("monday", "tuesday")]
    for file, name in zip(files, ("harbour", "library"), strict=True):
        file.parent.mkdir()
        shutil.copy(spoken / f"{name}.wav", file)
    first = [walk(file, base_settings, engine, uploading=False) for file in files]
    assert [one.status for one in first] == ["done", "done"]
    texts = [one.transcript for one in first if one.transcript]
    assert [text.parent for text in texts] == [file.parent for file in files]
    assert ["boats" in text.read_text("utf-8") for text in texts] == [True, False]
    assert list(Path.cwd().iterdir()) == []
    again = [walk(file, base_settings, engine, uploading=False) for file in files]
    assert [(one.status, one.reason) for one in again] == [("skipped", "already done")] * 2
    assert (len(engine.prepared), len(engine.transcribed)) == (2, 2)


def test_tb02_a_missing_last_end_loses_nothing(
    base_settings: Settings, talk: PreparedAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.whisper.transcriber.load", load_short_of_room)
    whole = talk.model_copy(update={"windows": (Window(start_s=0.0, end_s=talk.duration_s),)})
    transcriber = Transcriber(base_settings)
    result = transcriber.transcribe(whole, preset=STABIL, language="en", model=None)
    assert "fishing" in result.segments[-1].text
    assert result.segments[-1].start < result.segments[-1].end <= talk.duration_s
    made = Transcript(
        language="en",
        duration_s=talk.duration_s,
        model=result.model,
        preset=result.preset,
        segments=result.segments,
    )
    assert all("fishing" in render(made, [], extension) for extension in FORMS)


def test_tb03_every_control_changes_what_is_done(
    spoken: Path,
    tmp_path: Path,
    base_transcriber: Transcriber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WHISPER_PRESET", "schnell")
    assert chosen(load()) == PRESETS["schnell"]
    monkeypatch.setenv("WHISPER_BATCH", "2")
    monkeypatch.setenv("WHISPER_CHUNK_SECONDS", "5")
    preset = chosen(load())
    narrow = prepare(spoken / "harbour.wav", tmp_path / "narrow", preset)
    wide = prepare(spoken / "harbour.wav", tmp_path / "wide", STABIL)
    assert max(window.duration_s for window in narrow.windows) <= 5
    assert max(window.duration_s for window in wide.windows) > 5
    asked: list[int] = []

    class Seen(CpuBackend):
        """The real one; notes how many windows it may have at a time."""

        def __init__(self, model: Model, windows: int, threads: int) -> None:
            asked.append(windows)
            super().__init__(model, windows, threads)

    monkeypatch.setattr("engine.whisper.transcriber.CpuBackend", Seen)
    result = base_transcriber.transcribe(narrow, preset=preset, language="en", model=None)
    base_transcriber.transcribe(wide, preset=STABIL, language="en", model=None)
    assert asked == [2, STABIL.batch_windows]
    assert result.preset == "schnell"


def test_tb04_the_model_is_loaded_once_for_many_files(
    media: Path,
    spoken: Path,
    base_settings: Settings,
    engine: CountedEngine,
    talk: PreparedAudio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(spoken, media, dirs_exist_ok=True)
    processes = []
    for name in ("harbour.wav", "library.wav"):
        walk(media / name, base_settings, engine, uploading=False)
        processes.append(model_processes())
    assert len(processes[0]) == 1
    assert processes[0] == processes[1]
    loads: list[object] = []

    def counted(*arguments: Any) -> Model:
        loads.append(arguments)
        return load_model(*arguments)

    monkeypatch.setattr("engine.whisper.transcriber.load", counted)
    transcriber = Transcriber(base_settings)
    for _ in range(2):
        transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    assert len(loads) == 1


def test_tb05_a_failed_file_counts_as_failed(media: Path, ffmpeg: Ffmpeg, base_state: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", media / "good.wav")
    (media / "broken.mp4").write_text("no media at all", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tonspur", "file", str(media), "--no-upload", "--json"],
        env={**os.environ, "STATE_DIR": str(base_state), "WHISPER_MODEL": "base"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    items = {item["title"]: item["status"] for item in map(json.loads, done.stdout.splitlines())}
    assert items.pop("broken") == "failed"
    assert list(items.values()) == ["done"]
    assert done.returncode == 1
    assert "1 of 2 failed" in done.stderr


def test_tb06_what_a_24_gb_card_reports_makes_no_difference() -> None:
    large = WhisperConfig(
        d_model=1280,
        encoder_layers=32,
        decoder_layers=32,
        encoder_ffn_dim=5120,
        decoder_ffn_dim=5120,
        num_mel_bins=128,
        vocab_size=51_866,
    )
    footprint = Footprint(large, 2)

    def batch(gib: float, wanted: int) -> int:
        room = Room.empty(round(gib * GIB)).after(footprint.weights_bytes)
        return rows_that_fit(room, footprint.row_bytes(), wanted, footprint.encoder_bytes())

    reported = [23.5 + tenth / 10 for tenth in range(8)]
    for preset in PRESETS.values():
        batches = [batch(gib, preset.batch_windows) for gib in reported]
        assert batches == sorted(batches)
        assert all(after - before <= 1 for before, after in zip(batches, batches[1:], strict=False))
        assert batches[0] >= min(preset.batch_windows, PRESETS["optimiert"].batch_windows)


def test_tb07_an_english_only_model_is_not_asked_for_a_language(
    tmp_path: Path,
    base_settings: Settings,
    talk: PreparedAudio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.whisper.transcriber.load", load_short_of_room)
    folder = tiny_checkpoint(tmp_path / "distil-medium.en", 51_864)
    checkpoint = resolve(str(folder), base_settings, "cpu")
    vocabulary = load_model(checkpoint, torch.device("cpu")).vocabulary
    assert vocabulary.prompt("en") == [vocabulary.start]
    transcriber = Transcriber(base_settings)
    for language in ("auto", "en"):
        done = transcriber.transcribe(talk, preset=STABIL, language=language, model=str(folder))
        assert done.language == "en"
    with pytest.raises(BadSettings, match="knows English alone"):
        transcriber.transcribe(talk, preset=STABIL, language="de", model=str(folder))


def test_tb07_a_model_that_was_taught_english_alone_writes_no_german(
    tmp_path: Path, base_settings: Settings
) -> None:
    folder = tmp_path / "distil-large-v2"
    folder.mkdir()
    config = {
        "model_type": "whisper",
        "vocab_size": 51_865,
        "_name_or_path": "distil-whisper/distil-large-v2",
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    checkpoint = resolve(str(folder), base_settings, "cpu")
    with pytest.raises(BadSettings):
        check_language("de", checkpoint)


def test_tb08_switches_are_called_and_not_overwritten() -> None:
    cuda = torch.backends.cuda
    switches = ("flash_sdp", "mem_efficient_sdp", "math_sdp")
    before = {name: getattr(cuda, f"enable_{name}") for name in switches}
    were = {name: getattr(cuda, f"{name}_enabled")() for name in switches}
    tf32 = cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        for switch in before.values():
            switch(False)
        tune(torch)
        assert all(getattr(cuda, f"{name}_enabled")() for name in switches)
        for name, switch in before.items():
            assert getattr(cuda, f"enable_{name}") is switch
            assert isinstance(switch, FunctionType | BuiltinFunctionType)
    finally:
        for name, was in were.items():
            before[name](was)
        cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32


@pytest.mark.parametrize(
    "name",
    [
        "a & touch pwned; $(touch pwned) `touch pwned`.wav",
        "it's 100 % %TEMP% %03d ^ !x! [1] {2}, Ü.wav",
        "-y.wav",
    ],
)
def test_tb09_a_file_name_is_never_a_command(name: str, spoken: Path, tmp_path: Path) -> None:
    shutil.copy(spoken / "library.wav", name)
    made = prepare(Path(name), tmp_path / "prepared", STABIL)
    assert made.windows
    assert [left.name for left in Path.cwd().iterdir()] == [name]


def killed_in_its_work(file: Path, settings: Settings, engine: Engine) -> Path:
    """Where the sound of a recording was prepared whose transcription did not come to its end."""

    def kill(done_s: float, total_s: float) -> None:
        for pid in model_processes():
            psutil.Process(pid).kill()

    died = walk(file, settings, engine, uploading=False, progress=kill)
    assert (died.status, died.transcript) == ("failed", None)
    library = Library(settings)
    return marks.prepared_folder(library.read(placed(library, file)), settings)


@pytest.mark.e2e
def test_tb10_what_a_failure_leaves_is_used_again_and_then_removed(
    media: Path, spoken: Path, tmp_path: Path, base_settings: Settings, engine: CountedEngine
) -> None:
    file = Path(shutil.copy(spoken / "library.wav", media / "talk.wav"))
    with pytest.raises(Aborted):
        prepare(file, tmp_path / "prepared", STABIL, abort=lambda: True)
    assert not list((tmp_path / "prepared").glob(f"{atomic.TEMPORARY_PREFIX}*"))
    prepared = killed_in_its_work(file, base_settings, engine)
    assert {left.name for left in prepared.iterdir()} == {"audio.wav", "prepared.json"}
    assert sorted(left.suffix for left in media.iterdir()) == [".json", ".wav"]
    assert walk(file, base_settings, engine, uploading=False).status == "done"
    assert len(engine.prepared) == 1
    assert not prepared.exists()
    assert not list(media.glob(f"{atomic.TEMPORARY_PREFIX}*"))


@pytest.mark.e2e
def test_tb10_sound_prepared_for_other_settings_is_removed_too(
    media: Path, spoken: Path, base_state: Path, base_settings: Settings, engine: CountedEngine
) -> None:
    file = Path(shutil.copy(spoken / "library.wav", media / "talk.wav"))
    prepared = killed_in_its_work(file, base_settings, engine)
    others = load(state_dir=base_state, whisper_model="base", whisper_chunk_seconds=10)
    assert walk(file, others, engine, uploading=False).status == "done"
    assert not prepared.exists()


def test_tb11_of_many_sound_tracks_one_is_heard(
    spoken: Path, tmp_path: Path, ffmpeg: Ffmpeg, base_transcriber: Transcriber
) -> None:
    tone = ("-f", "lavfi", "-i", "sine=d=8")
    talks = ("-i", spoken / "library.wav", "-i", spoken / "harbour.wav")
    tracks = ("-map", "0:a", "-map", "1:a", "-map", "2:a", "-c:a", "flac")
    flags = ("-disposition:a:0", "default", "-disposition:a:2", "original")
    film = ffmpeg(*tone, *talks, *tracks, *flags, tmp_path / "film.mkv")
    made = prepare(film, tmp_path / "prepared", STABIL)
    result = base_transcriber.transcribe(made, preset=STABIL, language="en", model=None)
    said = words(result.segments)
    assert "boats" in said
    assert "library" not in said


def test_tb12_sound_is_levelled_and_loses_nothing(
    spoken: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    form = ("-ar", "16000", "-ac", "1", "-c:a", "pcm_s16le")
    loud = ffmpeg("-i", spoken / "harbour.wav", *form, tmp_path / "loud.wav")
    quiet = ffmpeg("-i", loud, "-af", "volume=-20dB", *form, tmp_path / "quiet.wav")
    made = [prepare(file, tmp_path / file.stem, STABIL) for file in (loud, quiet)]
    for source, one in zip((loud, quiet), made, strict=True):
        assert np.array_equal(samples(one.wav), samples(source))
    assert made[1].gain_db - made[0].gain_db == pytest.approx(20, abs=0.3)
    report = subprocess.run(
        [
            str(ffmpeg_program()),
            *("-hide_banner", "-nostats", "-i", str(made[1].wav)),
            *("-af", f"volume={made[1].gain_db}dB,ebur128=peak=sample", "-f", "null", "-"),
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stderr
    loudness, peak = (float(report.rpartition(label)[2].split()[0]) for label in ("I:", "Peak:"))
    assert peak <= PEAK_CEILING_DBFS + 0.1
    assert loudness == pytest.approx(TARGET_LUFS, abs=0.5) or peak == pytest.approx(
        PEAK_CEILING_DBFS, abs=0.2
    )


def test_tb13_out_of_memory_halves_the_batch_and_goes_on_where_it_was(
    base_transcriber: Transcriber, talk: PreparedAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    class Small(CpuBackend):
        """Has no room for more than one window."""

        def __init__(self, model: Model, windows: int, threads: int) -> None:
            sizes.append(windows)
            super().__init__(model, windows, 1)

        def batch(self) -> RaggedBatch:
            if self.windows > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().batch()

    halves = (
        Window(start_s=0.0, end_s=talk.duration_s / 2),
        Window(start_s=talk.duration_s / 2, end_s=talk.duration_s),
    )
    cut = talk.model_copy(update={"windows": halves})
    expected = base_transcriber.transcribe(cut, preset=STABIL, language="en", model=None)
    monkeypatch.setattr("engine.whisper.transcriber.CpuBackend", Small)
    result = base_transcriber.transcribe(cut, preset=STABIL, language="en", model=None)
    assert sizes == [8, 4, 2, 1]
    assert words(result.segments) == words(expected.segments)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (EngineDied("The model process is gone."), True),
        (DiskFull("No space left."), False),
        (NotMedia("This is text."), False),
        (RuntimeError("a fault of ours"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tb13_a_failure_that_may_pass_is_tried_again(error: Exception, again: bool) -> None:
    @task(**STEP)
    def step() -> None:
        raise error

    assert step.retries == TRIES_MORE > 0
    assert step.retry_condition_fn is worth_retrying
    run = cast(TaskRun, None)  # not looked at
    assert worth_retrying(step, run, Failed(data=error)) is again


def test_tb14_silence_gets_no_text_and_speech_is_not_repeated(
    spoken: Path, tmp_path: Path, ffmpeg: Ffmpeg, base_transcriber: Transcriber
) -> None:
    talk, gap_s = spoken / "harbour.wav", 40
    hiss = f"anoisesrc=r=22050:a=0.0005:seed=1:d={gap_s}"
    inputs = ("-i", talk, "-f", "lavfi", "-i", hiss, "-i", talk)
    joined = "[0][1][2]concat=n=3:v=0:a=1"
    both = ffmpeg(*inputs, "-filter_complex", joined, tmp_path / "both.wav")
    made = prepare(both, tmp_path / "prepared", STABIL)
    result = base_transcriber.transcribe(made, preset=STABIL, language="en", model=None)
    first_s = (made.duration_s - gap_s) / 2
    begins, ends = first_s + 0.5, first_s + gap_s - 0.5
    assert [s for s in result.segments if s.end > begins and s.start < ends] == []
    said = words(result.segments).lower()
    assert [said.count(once) for once in ("quiet", "boats", "storm")] == [2, 2, 2]


@pytest.mark.parametrize("video_id", ["a_b_c_d_e_f", "___________", "-Ab_9-_zZ_0"])
def test_tb15_an_id_with_underscores_is_found(video_id: str, settings: Settings) -> None:
    published = datetime(2024, 5, 6, tzinfo=UTC)
    title = "One_two __ three_"
    assert names.id_of(names.stem(published, title, video_id)) == video_id
    library = Library(settings)
    entry = library.place(Video(video_id=video_id, published_at=published, title=title))
    assert library.find(video_id) == entry


def test_tb16_a_writer_that_is_killed_leaves_the_old_file_whole(settings: Settings) -> None:
    library = Library(settings)
    day = datetime(2024, 5, 6, tzinfo=UTC)
    entry = library.place(Video(video_id="dQw4w9WgXcQ", published_at=day, title="Talk"))
    atomic.write_text(entry.text, "the old text\n")
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from engine.library import atomic\n"
        "with atomic.replacing(Path(sys.argv[1])) as draft, draft.open('w') as out:\n"
        "    out.write('half of the new')\n"
        "    out.flush()\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(entry.text)], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline().strip() == b"writing"
    writer.kill()
    writer.communicate()
    assert len(list(entry.folder.glob(f"{atomic.TEMPORARY_PREFIX}*"))) == 1
    assert entry.text.read_text("utf-8") == "the old text\n"
    with library.way(entry.video_id):
        assert not list(entry.folder.glob(f"{atomic.TEMPORARY_PREFIX}*"))
    assert entry.text.read_text("utf-8") == "the old text\n"


@pytest.mark.parametrize("content", [None, "", "# no key yet\n"])
def test_tb17_transcription_needs_no_keys_of_youtube(content: str | None) -> None:
    if content is not None:
        Path("YT_API_keys.txt").write_text(content, encoding="utf-8")
    assert load().api_keys == ()
    code = (
        "import sys\n"
        "import engine.steps.local_way, engine.whisper.process, engine.audio.preparation\n"
        "from engine.settings import load\n"
        "load()\n"
        "sys.exit(any(name.startswith('engine.youtube') for name in sys.modules))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_tb18_one_call_leads_from_the_recording_to_the_knowledge_base(
    media: Path, spoken: Path, tmp_path: Path, base_state: Path, engine: CountedEngine
) -> None:
    channel = SandboxChannel(id="UC" + "a" * 22, handle="@nobody", title="Nobody")
    spec = SandboxSpec(channels=(channel,), odin=OdinSpec(indexing_s=0.0))
    file = Path(shutil.copy(spoken / "library.wav", media / "talk.wav"))
    with Sandbox(tmp_path / "sandbox", spec=spec) as sandbox:
        settings = load(
            state_dir=base_state,
            whisper_model="base",
            odin_base_url=sandbox.url,
            odin_api_key=spec.odin.key,
            odin_api_secret=spec.odin.secret,
            odin_project_id=spec.odin.project_ids[0],
        )
        done = walk(file, settings, engine, uploading=True)
        with OdinClient(settings) as odin:
            keys = [document.key for document in odin.documents()]
    assert (done.status, done.reason) == ("done", None)
    assert keys == [done.document_key]
