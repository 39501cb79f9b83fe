"""`tonspur doctor` on set-ups that are broken for real: the right line fails and names its fix."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.life import Sandbox
from sandbox.spec import ApiKey, SandboxSpec
from tests.json_lines import lines

SECRETS = ("sandbox-odin-key", "sandbox-odin-secret", "sandbox-youtube-key", "wrong-key-of-mine")


class Doctor:
    """The command, in surroundings that a test has broken."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.broken = home / "broken"
        self.broken.mkdir()
        self.stderr = ""
        self.status = 0

    def look(self, **environment: str | None) -> dict[str, dict[str, str | None]]:
        """Every line by its check."""
        paths = [str(self.broken), os.environ.get("PYTHONPATH", "")]
        surroundings = {**os.environ, "WHISPER_MODEL": "base", "PYTHONPATH": os.pathsep.join(paths)}
        for name, value in environment.items():
            surroundings.pop(name, None)
            if value is not None:
                surroundings[name] = value
        done = subprocess.run(
            [sys.executable, "-m", "tonspur", "doctor", "--json"],
            capture_output=True,
            encoding="utf-8",
            env=surroundings,
            timeout=60,
            check=False,
        )
        self.stderr, self.status = done.stderr, done.returncode
        assert "Traceback" not in done.stderr
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
        rows = lines(done)
        assert all(set(row) == {"check", "status", "found", "fix"} for row in rows)
        assert all(row["fix"] for row in rows if row["status"] != "ok")
        assert done.returncode == (1 if any(row["status"] == "fail" for row in rows) else 0)
        assert len(done.stderr.splitlines()) <= 3
        return {row["check"]: row for row in rows}

    def module(self, name: str, code: str) -> None:
        """A module that stands before the real one."""
        (self.broken / name).write_text(textwrap.dedent(code), encoding="utf-8")


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    keys = (ApiKey(key="sandbox-youtube-key"), ApiKey(key="another-youtube-key", units=0))
    spec = SandboxSpec(channels=(), api_keys=keys)
    with Sandbox(tmp_path_factory.mktemp("stand-ins"), spec=spec) as running:
        yield running


def is_bad(row: dict[str, str | None], *named: str, status: str = "fail") -> None:
    assert row["status"] == status, row
    assert all(word in str(row["fix"]) for word in named), row


def test_a_healthy_machine_has_nothing_to_mend(doctor: Doctor, sandbox: Sandbox) -> None:
    keys = {**sandbox.environment(), "YT_API_KEYS": "sandbox-youtube-key"}
    rows = doctor.look(**keys)
    assert [row for row in rows.values() if row["status"] == "fail"] == []
    assert Path(str(rows["ffmpeg"]["found"])).is_file()
    assert Path(str(rows["JavaScript runtime"]["found"])).is_file()
    [key] = [row for name, row in rows.items() if name.startswith("YouTube key ")]
    assert "9999 of 10000 units" in str(key["found"])
    assert rows["ODIN AI"]["status"] == "ok"
    assert list((doctor.home / "library").glob("*")) == []


def test_settings_that_cannot_be_used_are_told_all_at_once(doctor: Doctor) -> None:
    rows = doctor.look(
        WHISPER_PRESET="quick", ENGINE_PORT="70000", YT_API_KEYS="wrong-key-of-mine",
        YT_WATCH_URL="https://www.youtube.com/watch", YT_API_ENDPOINT="http://127.0.0.1:9",
    )  # fmt: skip
    is_bad(rows["setting WHISPER_PRESET"], "WHISPER_PRESET", ".env")
    is_bad(rows["setting ENGINE_PORT"], "ENGINE_PORT")
    is_bad(rows["setting YT_WATCH_URL"], "YT_WATCH_URL")
    assert rows["ffmpeg"]["status"] == "ok", "the rest is looked at all the same"


@pytest.mark.e2e
def test_no_ffmpeg_and_no_javascript_and_an_old_ytdlp(doctor: Doctor) -> None:
    doctor.module("sitecustomize.py", """
        import os, sys
        sys.modules["imageio_ffmpeg"] = type(sys)("imageio_ffmpeg")
        def gone(): raise RuntimeError("no binary")
        sys.modules["imageio_ffmpeg"].get_ffmpeg_exe = gone
        import yt_dlp.version, yt_dlp.utils._jsruntime as runtimes
        yt_dlp.version.__version__ = "2024.12.06"
        runtimes._determine_runtime_path = lambda *a, **k: None
        runtimes.DenoJsRuntime._info = lambda self: None
    """)  # fmt: skip
    rows = doctor.look(PATH="/nowhere")
    is_bad(rows["ffmpeg"], "PATH", "imageio-ffmpeg")
    is_bad(rows["JavaScript runtime"], "yt-dlp[default,deno]")
    is_bad(rows["yt-dlp"], 'pip install -U "yt-dlp[default,deno]"', status="warn")


def test_refused_and_used_up_keys_and_refused_credentials(doctor: Doctor, sandbox: Sandbox) -> None:
    rows = doctor.look(
        **{
            **sandbox.environment(),
            "YT_API_KEYS": "wrong-key-of-mine,another-youtube-key",
            "ODIN_API_SECRET": "wrong-key-of-mine",
        }
    )
    keys = [row for name, row in rows.items() if name.startswith("YouTube key ")]
    assert [row["status"] for row in keys] == ["fail", "warn"]
    is_bad(keys[0], "YT_API_KEYS")
    assert "used up" in str(keys[1]["found"])
    is_bad(rows["ODIN AI"], "ODIN_API_KEY")


@pytest.mark.e2e
def test_a_project_that_the_key_does_not_open(doctor: Doctor, sandbox: Sandbox) -> None:
    rows = doctor.look(**{**sandbox.environment(), "ODIN_PROJECT_ID": "somebodyElses"})
    is_bad(rows["ODIN AI"], "ODIN_PROJECT_ID")


def test_a_server_that_does_not_answer_and_a_port_that_is_taken(doctor: Doctor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        rows = doctor.look(PREFECT_API_URL="http://127.0.0.1:9/api", ENGINE_PORT=str(port))
    is_bad(rows["Prefect server"], "PREFECT_API_URL")
    is_bad(rows["engine"], "ENGINE_PORT")


def test_folders_files_and_a_model_that_are_not_what_they_should_be(doctor: Doctor) -> None:
    occupied = doctor.home / "a-file"
    occupied.write_text("x", encoding="utf-8")
    cookies = doctor.home / "cookies.txt"
    cookies.write_text("this is no cookie jar\n", encoding="utf-8")
    channels = doctor.home / "channels.yaml"
    channels.write_text("channels: [{cron: nonsense}]\n", encoding="utf-8")
    rows = doctor.look(
        LIBRARY_DIR=str(occupied), YT_COOKIES_FILE=str(cookies), CHANNELS_FILE=str(channels),
        WHISPER_MODEL="enormous", DISK_LEAST_GB="1000000",
    )  # fmt: skip
    is_bad(rows["setting LIBRARY_DIR"], "LIBRARY_DIR")
    is_bad(rows["cookies"], "YT_COOKIES_FILE", "Netscape")
    is_bad(rows["channels.yaml"], "channels.yaml")
    is_bad(rows["Whisper model"], "WHISPER_MODEL", "large-v3")
    is_bad(rows["disk"], "DISK_LEAST_GB", status="warn")


@pytest.mark.e2e
def test_a_library_that_nobody_may_write(doctor: Doctor) -> None:
    folder = doctor.home / "locked"
    folder.mkdir(mode=0o500)
    rows = doctor.look(LIBRARY_DIR=str(folder))
    is_bad(rows["library"], "LIBRARY_DIR", "write")


@pytest.mark.e2e
def test_a_card_and_a_torch_for_the_cpu(doctor: Doctor) -> None:
    doctor.module("pynvml.py", """
        class NVMLError(Exception): pass
        for _name in ("NotSupported", "FunctionNotFound", "NoPermission", "LibraryNotFound",
                      "ArgumentVersionMismatch", "DriverNotLoaded", "LibRmVersionMismatch",
                      "GpuIsLost", "ResetRequired", "InvalidArgument", "NotFound"):
            globals()["NVMLError_" + _name] = type(_name, (NVMLError,), {})
        NVML_TEMPERATURE_GPU = 0
        class _Memory: used, total = 1_000_000_000, 25_000_000_000
        class _Rates: gpu = 3
        nvmlInit = nvmlShutdown = lambda: None
        nvmlDeviceGetCount = lambda: 1
        nvmlDeviceGetHandleByIndex = lambda index: "card"
        nvmlDeviceGetHandleByUUID = lambda uuid: "card"
        nvmlDeviceGetMemoryInfo = lambda card: _Memory
        nvmlDeviceGetUtilizationRates = lambda card: _Rates
        nvmlDeviceGetName = lambda card: "NVIDIA GeForce RTX 4090"
        nvmlDeviceGetUUID = lambda card: "GPU-0"
        nvmlDeviceGetTemperature = lambda card, sensor: 40
        nvmlDeviceGetCurrentClocksEventReasons = lambda card: 0
        nvmlSystemGetCudaDriverVersion_v2 = lambda: 13000
        nvmlSystemGetDriverVersion = lambda: "581.15"
        nvmlDeviceGetCudaComputeCapability = lambda card: (8, 9)
    """)  # fmt: skip
    rows = doctor.look(WHISPER_MODEL="base")
    assert "RTX 4090" in str(rows["torch"]["found"])
    is_bad(rows["torch"], "pip install", "download.pytorch.org/whl/cu")
    assert "24000 MB free" in str(rows["GPU"]["found"])
    rows = doctor.look(WHISPER_MODEL=None, CUDA_VISIBLE_DEVICES="", WHISPER_DEVICE="cuda")
    is_bad(rows["GPU"], "WHISPER_DEVICE")


@pytest.mark.e2e
def test_a_package_in_a_version_that_was_never_tried(doctor: Doctor) -> None:
    other = doctor.broken / "sqlalchemy-2.1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: sqlalchemy\nVersion: 2.1.0\n", encoding="utf-8")
    rows = doctor.look()
    assert rows["package sqlalchemy"]["found"] == "2.1.0"
    is_bad(rows["package sqlalchemy"], "pip install", "sqlalchemy", "<2.1")


def test_a_check_that_hangs_is_told_and_the_others_are_not_held_up() -> None:
    import time

    from deployments.doctor import examination

    def hangs(settings: object) -> Iterator[object]:
        time.sleep(30)
        yield None

    def breaks(settings: object) -> Iterator[object]:
        raise RuntimeError("boom")
        yield None

    before = dict(examination.CHECKS)
    try:
        examination.CHECKS.clear()
        examination.CHECKS.update({"slow": hangs, "bad": breaks, "Python": before["Python"]})
        rows = {row.check: row for row in examination.examine(longest_s=0.5)}
    finally:
        examination.CHECKS.clear()
        examination.CHECKS.update(before)
    assert rows["slow"].status == "fail" and "within" in str(rows["slow"].found)
    assert rows["bad"].status == "fail" and "boom" in str(rows["bad"].found)
    assert rows["Python"].status == "ok"
