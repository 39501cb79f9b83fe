"""What a figure was measured on."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict


class Machine(BaseModel):
    """A computer in words; memory in GiB."""

    model_config = ConfigDict(frozen=True)

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str


def this_machine() -> Machine:
    """The one that this runs on."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()}, {platform.machine()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    """The name that its maker gave it; `platform` knows the family alone."""
    if sys.platform == "win32":  # windows only
        import winreg

        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, encoding="utf-8").stdout.strip()
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    parted = (line.partition(":") for line in facts)
    found = {name.strip(): value.strip() for name, _, value in parted}
    named = found.get("model name", platform.processor() or platform.machine())
    numbers = [f"{word} {found[word]}" for word in ("cpu family", "model") if word in found]
    return f"{named} ({', '.join(numbers)})" if numbers else named
