"""`pythonw -m deployments.hidden COMMAND…`: a command of Tonspur without a window, for Windows.

What it says goes to STATE_DIR/logs/service-COMMAND.log.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path

from deployments.processes import stop_tree
from engine.errors import BadSettings
from engine.settings import load

# One console that nobody sees, which all that is started there inherits: without it each ffmpeg
# would open a window.
_WITHOUT_WINDOW = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
_LARGEST_LOG = 1_000_000


def main(command: Sequence[str]) -> int:
    """Run it to its end; its exit status."""
    with _log_of(command[0]).open("ab") as log:
        log.write(f"--- {datetime.now():%Y-%m-%d %H:%M:%S} tonspur {' '.join(command)}\n".encode())
        log.flush()
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments
            [str(console_python(Path(sys.executable))), "-P", "-m", "tonspur", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUTF8": "1"},
            creationflags=_WITHOUT_WINDOW,
        )
        try:
            return process.wait()
        finally:
            stop_tree(process.pid)


def console_python(program: Path) -> Path:
    """The interpreter with a console beside the one without: only that one passes it on."""
    return program.with_name("python.exe") if program.name.lower() == "pythonw.exe" else program


def _log_of(name: str) -> Path:
    try:
        folder = load().logs_dir
    except BadSettings:  # the command says so itself: let that be found where it is looked for
        folder = user_data_path("tonspur", appauthor=False) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"service-{name}.log"
    if log.is_file() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    return log


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
