"""The systemd units and the scripts for Windows, as far as they can be looked at anywhere."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from pygments.lexers import PowerShellLexer
from pygments.token import Comment, Error, Punctuation, String

import tonspur

FOLDER = Path(__file__).parents[2] / "deployments"
LINUX, WINDOWS = FOLDER / "linux", FOLDER / "windows"
UNITS = ("tonspur-server", "tonspur-engine", "tonspur-worker")
SCRIPTS = sorted(WINDOWS.glob("*.ps1"))
COMMANDS = {command.callback.__name__ for command in tonspur.app.registered_commands}  # type: ignore[union-attr]
PARTS = {name.removeprefix("tonspur-") for name in UNITS}

Unit = dict[str, dict[str, list[str]]]

# What Windows PowerShell 5.1 has of its own, as far as the scripts use it.
CMDLETS = {
    *("Split-Path", "Join-Path", "Test-Path", "Resolve-Path", "New-Item", "Set-StrictMode"),
    *("Push-Location", "Pop-Location", "Select-Object", "Out-Null", "Write-Output"),
    *("Write-Warning", "Get-Date", "New-TimeSpan", "Get-CimInstance"),
    *("Get-ScheduledTask", "New-ScheduledTask", "Register-ScheduledTask", "Start-ScheduledTask"),
    *("Stop-ScheduledTask", "Enable-ScheduledTask", "Disable-ScheduledTask"),
    *("Unregister-ScheduledTask", "New-ScheduledTaskAction", "New-ScheduledTaskTrigger"),
    *("New-ScheduledTaskPrincipal", "New-ScheduledTaskSettingsSet"),
}


def read(file: Path, unit: Unit | None = None) -> Unit:
    """A unit as systemd reads it: names may come again, a blank value takes back what was said."""
    found: Unit = defaultdict(lambda: defaultdict(list)) if unit is None else unit
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            assert line in ("[Unit]", "[Service]", "[Install]"), f"{file.name}: {line}"
            section = line[1:-1]
            continue
        name, equals, value = line.partition("=")
        assert section, f"{file.name}: {line}"
        assert equals, f"{file.name}: {line}"
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), f"{file.name}: {line}"
        assert "#" not in value, f"{file.name}: systemd knows no comment behind a value: {line}"
        found[section][name].append(value.strip())
    return found


def service(name: str) -> dict[str, list[str]]:
    """The section Service of a unit with what all share."""
    unit = read(LINUX / "tonspur-.service.d" / "shared.conf")
    return read(LINUX / f"{name}.service", unit)["Service"]


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_runs_an_existing_command_as_a_user_without_rights(name: str) -> None:
    told = service(name)
    [started] = told["ExecStart"]
    program, command = started.split()
    assert program == "/opt/tonspur/.venv/bin/tonspur"
    assert command in COMMANDS
    assert f"tonspur-{command}" == name
    assert told["User"] == told["Group"] == ["tonspur"]
    assert told["CapabilityBoundingSet"] == told["AmbientCapabilities"] == [""]
    assert told["NoNewPrivileges"] == ["yes"]
    assert told["ProtectSystem"] == ["strict"]
    assert told["EnvironmentFile"] == ["/etc/tonspur/tonspur.env"]


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_comes_back_unless_a_setting_cannot_be_used(name: str) -> None:
    told = service(name)
    assert told["Restart"] == ["on-failure"]
    assert told["RestartPreventExitStatus"] == ["2"]
    assert told["KillMode"] == ["mixed"], "Tonspur stops its processes itself, in order"
    assert int(told["TimeoutStopSec"][0]) >= 20


@pytest.mark.parametrize("name", ["tonspur-engine", "tonspur-worker"])
def test_deno_and_cuda_keep_what_they_need(name: str) -> None:
    told = service(name)
    for closed in ("MemoryDenyWriteExecute", "PrivateDevices", "DevicePolicy", "ProtectClock"):
        assert closed not in told


def test_the_target_holds_all_units() -> None:
    target = read(LINUX / "tonspur.target")
    assert set(target["Unit"]["Wants"][0].split()) == {f"{name}.service" for name in UNITS}
    for name in UNITS:
        assert read(LINUX / f"{name}.service")["Install"]["WantedBy"] == ["tonspur.target"]
    shared = read(LINUX / "tonspur-.service.d" / "shared.conf")
    assert shared["Unit"]["PartOf"] == ["tonspur.target"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    units = shutil.copytree(LINUX, tmp_path / "units")
    for file in units.glob("*.service"):
        text = file.read_text(encoding="utf-8")
        text = text.replace("/opt/tonspur/.venv/bin/tonspur", "/bin/true")
        file.write_text(text, encoding="utf-8")
    every = [str(file) for file in (*units.glob("*.service"), *units.glob("*.target"))]
    done = subprocess.run(
        ["systemd-analyze", "verify", *every], capture_output=True, encoding="utf-8"
    )
    said = [
        line
        for line in done.stderr.splitlines()
        # systemd before 254 does not know the growing pauses
        if "tonspur" in line and "RestartSteps" not in line and "RestartMaxDelaySec" not in line
    ]
    assert said == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_the_script_for_linux_is_sound_and_asks_for_a_verb() -> None:
    script = str(LINUX / "services.sh")
    subprocess.run(["bash", "-n", script], check=True)
    done = subprocess.run(["bash", script, "nonsense"], capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (2, "")
    assert "install|upgrade|uninstall" in done.stderr


def code_of(script: Path) -> str:
    """A script without comments and without what stands in quotes."""
    tokens = PowerShellLexer().get_tokens(script.read_text(encoding="ascii"))
    return "".join(text for kind, text in tokens if kind not in Comment and kind not in String)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_for_windows_is_ascii_and_names_no_folder_of_one_machine(script: Path) -> None:
    text = script.read_bytes().decode("ascii")
    assert not re.findall(r"(?i)\b[a-z]:\\|\\users\\|/home/", text)
    assert "\t" not in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_for_windows_is_balanced_and_older_than_powershell_7(script: Path) -> None:
    tokens = list(PowerShellLexer().get_tokens(script.read_text(encoding="ascii")))
    assert not [text for kind, text in tokens if kind in Error]
    opened: list[str] = []
    for text in "".join(text for kind, text in tokens if kind in Punctuation):
        if text in "([{":
            opened.append({"(": ")", "[": "]", "{": "}"}[text])
        elif text in ")]}":
            assert opened.pop() == text
    assert opened == []
    assert not re.findall(r"&&|\|\||\?\?|\?\.|\s\?\s", code_of(script))


def test_scripts_for_windows_call_only_what_they_define_or_windows_has() -> None:
    defined = {
        name
        for script in SCRIPTS
        for name in re.findall(r"(?m)^function ([A-Z]\w+-\w+)", script.read_text(encoding="ascii"))
    }
    for script in SCRIPTS:
        called = set(re.findall(r"(?<![\w$@.-])[A-Z][a-z]+-[A-Z]\w+", code_of(script)))
        assert called <= defined | CMDLETS, script.name


@pytest.mark.parametrize("name", ["install", "upgrade", "uninstall"])
def test_each_script_for_windows_can_show_what_it_would_do(name: str) -> None:
    text = (WINDOWS / f"{name}.ps1").read_text(encoding="ascii")
    assert text.startswith("#Requires -Version 5.1\n")
    assert "[CmdletBinding(SupportsShouldProcess = $true)]" in text
    assert "ShouldProcess(" in text
    assert "$ErrorActionPreference = 'Stop'" in text


def test_scripts_for_windows_name_existing_commands_and_all_parts() -> None:
    texts = "\n".join(script.read_text(encoding="ascii") for script in SCRIPTS)
    for command in re.findall(r"'-m', 'tonspur', '(\w+)'", texts):
        assert command in COMMANDS
    assert "-m deployments.hidden $part" in texts
    [listed] = re.findall(r"\$Parts = @\((.*)\)", texts)
    assert set(re.findall(r"'(\w+)'", listed)) == PARTS


@pytest.mark.parametrize("readme", [LINUX / "README.md", WINDOWS / "README.md"])
def test_what_the_instructions_name_exists(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    for command in re.findall(r"(?:bin/|Scripts\\|`)tonspur (\w+)", text):
        assert command in COMMANDS
    for script in re.findall(r"[\w/\\-]+\.(?:ps1|sh)\b", text):
        assert (readme.parent / re.split(r"[/\\]", script)[-1]).is_file()
