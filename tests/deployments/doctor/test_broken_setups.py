"""`tonspur doctor` on set-ups that are broken for real: the right line fails and names its fix."""

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.server import Server
from engine.settings import load
from engine.youtube.quota import Ledger, key_name
from sandbox.life import Sandbox
from sandbox.spec import ApiKey, SandboxSpec
from tests.json_lines import lines

SECRETS = (
    "sandbox-odin-key", "sandbox-odin-secret", "sandbox-youtube-key", "another-youtube-key",
    "wrong-key-of-mine", "hidden-password",
)  # fmt: skip
LONGEST_S = 15


class Doctor:
    """The command, in surroundings that a test has broken."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.broken = home / "broken"
        self.broken.mkdir()
        self.stderr = ""
        self.status = 0
        self.took_s = 0.0

    def look(self, **environment: str | None) -> dict[str, dict[str, str | None]]:
        """Every line by its check."""
        paths = [str(self.broken), os.environ.get("PYTHONPATH", "")]
        surroundings = {**os.environ, "WHISPER_MODEL": "base", "PYTHONPATH": os.pathsep.join(paths)}
        for name, value in environment.items():
            surroundings.pop(name, None)
            if value is not None:
                surroundings[name] = value
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tonspur", "doctor", "--json"],
            capture_output=True,
            encoding="utf-8",
            env=surroundings,
            timeout=60,
            check=False,
        )
        self.took_s = time.monotonic() - begun
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
        file = self.broken / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(code), encoding="utf-8")


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
    assert doctor.status == 0 and doctor.stderr == ""
    assert doctor.took_s < LONGEST_S
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
        PREFECT_API_URL="ftp://me:hidden-password@10.0.0.1/api",
    )  # fmt: skip
    is_bad(rows["setting WHISPER_PRESET"], "WHISPER_PRESET", ".env")
    is_bad(rows["setting ENGINE_PORT"], "ENGINE_PORT")
    is_bad(rows["setting YT_WATCH_URL"], "YT_WATCH_URL")
    is_bad(rows["setting PREFECT_API_URL"], "PREFECT_API_URL")
    [key] = [row for name, row in rows.items() if name.startswith("YouTube key ")]
    is_bad(key, "network", "YT_API_ENDPOINT")
    assert rows["ffmpeg"]["status"] == "ok", "the rest is looked at all the same"


@pytest.mark.e2e
def test_no_ffmpeg_no_javascript_an_old_ytdlp_and_a_package_that_was_never_tried(
    doctor: Doctor,
) -> None:
    other = doctor.broken / "sqlalchemy-2.1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: sqlalchemy\nVersion: 2.1.0\n", encoding="utf-8")
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
    assert rows["package sqlalchemy"]["found"] == "2.1.0"
    is_bad(rows["package sqlalchemy"], "pip install", "sqlalchemy", "<2.1")


def test_keys_credentials_and_a_password_that_are_refused(
    doctor: Doctor, sandbox: Sandbox, foreign: int
) -> None:
    keys = doctor.home / "keys.txt"
    keys.write_text("wrong-key-of-mine\nanother-youtube-key\na key of mine\n", encoding="utf-8")
    rows = doctor.look(
        **{
            **sandbox.environment(),
            "YT_API_KEYS": None,
            "YT_API_KEYS_FILE": str(keys),
            "ODIN_API_SECRET": "wrong-key-of-mine",
            "PREFECT_API_URL": f"http://127.0.0.1:{foreign}/guarded/api",
            "PREFECT_SERVER_API_AUTH_STRING": "operator:hidden-password",
        }
    )
    found = [row for name, row in rows.items() if name.startswith("YouTube key ")]
    assert [row["status"] for row in found] == ["fail", "warn", "fail"]
    is_bad(found[0], "YT_API_KEYS")
    assert "used up" in str(found[1]["found"])
    is_bad(found[2], "YT_API_KEYS_FILE")
    assert "not sent" in str(found[2]["found"])
    is_bad(rows["ODIN AI"], "ODIN_API_KEY")
    is_bad(rows["Prefect server"], "PREFECT_SERVER_API_AUTH_STRING")


@pytest.mark.e2e
def test_a_project_that_the_key_does_not_open_and_a_library_that_nobody_may_write(
    doctor: Doctor, sandbox: Sandbox
) -> None:
    locked = doctor.home / "locked"
    locked.mkdir(mode=0o500)
    elsewhere = {"ODIN_PROJECT_ID": "somebodyElses", "LIBRARY_DIR": str(locked)}
    rows = doctor.look(**{**sandbox.environment(), **elsewhere})
    is_bad(rows["ODIN AI"], "ODIN_PROJECT_ID")
    is_bad(rows["library"], "LIBRARY_DIR", "write")


def test_a_server_that_does_not_answer_and_a_port_that_is_taken(doctor: Doctor) -> None:
    url = "http://me:hidden-password@127.0.0.1:9/api"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        rows = doctor.look(PREFECT_API_URL=url, ENGINE_PORT=str(port))
    is_bad(rows["Prefect server"], "PREFECT_API_URL")
    is_bad(rows["engine"], "ENGINE_PORT")


def test_folders_files_a_model_and_a_server_that_are_not_what_they_should_be(
    doctor: Doctor, foreign: int
) -> None:
    occupied = doctor.home / "a-file"
    occupied.write_text("x", encoding="utf-8")
    cookies = doctor.home / "cookies.txt"
    cookies.write_text("this is no cookie jar\n", encoding="utf-8")
    channels = doctor.home / "channels.yaml"
    channels.write_text("channels: [{cron: nonsense}]\n", encoding="utf-8")
    rows = doctor.look(
        LIBRARY_DIR=str(occupied), YT_COOKIES_FILE=str(cookies), CHANNELS_FILE=str(channels),
        WHISPER_MODEL="enormous", DISK_LEAST_GB="1000000",
        WHISPER_DEVICE="cuda", CUDA_VISIBLE_DEVICES="",
        PREFECT_API_URL=f"http://127.0.0.1:{foreign}/api",
    )  # fmt: skip
    is_bad(rows["setting LIBRARY_DIR"], "LIBRARY_DIR")
    is_bad(rows["cookies"], "YT_COOKIES_FILE", "Netscape")
    is_bad(rows["channels.yaml"], "channels.yaml")
    is_bad(rows["Whisper model"], "WHISPER_MODEL", "large-v3")
    is_bad(rows["disk"], "DISK_LEAST_GB", status="warn")
    is_bad(rows["GPU"], "WHISPER_DEVICE")
    is_bad(rows["deployments"], "PREFECT_API_URL")


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


def test_what_is_missing_or_does_not_load_is_a_line_and_the_rest_is_looked_at(
    doctor: Doctor,
) -> None:
    doctor.module("torch/__init__.py", 'raise OSError("Error loading c10.dll")')
    doctor.module("torch/version.py", "__version__ = '2.9.0+cu130'\ncuda: str = '13.0'\n")
    doctor.module("sitecustomize.py", """
        import sys
        sys.modules["prefect"] = sys.modules["psutil"] = None
    """)  # fmt: skip
    rows = doctor.look()
    is_bad(rows["torch"], "pip install --force-reinstall", "download.pytorch.org/whl/cu")
    assert "2.9.0+cu130" in str(rows["torch"]["found"])
    assert "c10.dll" in str(rows["torch"]["found"])
    for broken in ("state", "channels.yaml", "Prefect server", "engine"):
        is_bad(rows[broken], "pip install")
    for well in ("Python", "ffmpeg", "library", "Whisper model"):
        assert rows[well]["status"] == "ok"


@pytest.mark.e2e
def test_where_nobody_answers_the_doctor_is_done_soon_and_a_key_costs_one_unit(
    doctor: Doctor,
) -> None:
    keys = ("wrong-key-of-mine", "another-youtube-key", "sandbox-youtube-key")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(100)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        rows = doctor.look(
            YT_API_ENDPOINT=url, YT_API_KEYS=",".join(keys), ODIN_BASE_URL=url,
            ODIN_API_KEY="sandbox-odin-key", ODIN_API_SECRET="sandbox-odin-secret",
            PREFECT_API_URL=f"{url}/api",
        )  # fmt: skip
    assert doctor.took_s < LONGEST_S
    found = [row for name, row in rows.items() if name.startswith("YouTube key ")]
    assert [row["status"] for row in found] == ["fail"] * len(keys)
    is_bad(rows["ODIN AI"], "ODIN_BASE_URL")
    is_bad(rows["Prefect server"], "PREFECT_API_URL")
    ledger = Ledger(load().ledger_file)
    assert [ledger.spent(key_name(SecretStr(key))).units for key in keys] == [1] * len(keys)
    ledger.close()


@pytest.mark.e2e
def test_a_server_of_our_own_that_was_never_told_of_the_deployments(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "operator:hidden-password")
    server = Server(load())
    try:
        server.ensure()
        rows = doctor.look()
        assert rows["Prefect server"] == {
            "check": "Prefect server", "status": "ok", "found": server.url, "fix": None,
        }  # fmt: skip
        is_bad(rows["deployment channel-sync/channel-sync"], "python -m deployments")
        assert "version of the server" not in rows, "it is the client's, and only lacks are told"
    finally:
        server.stop()
