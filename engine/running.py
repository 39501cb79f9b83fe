"""Cards in STATE_DIR/run by which the running processes of this machine are found again."""

import os
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.library import atomic
from engine.settings import Settings


class RunningCard(BaseModel):
    """What a running process leaves behind: enough to find it and to know it is the same."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    url: str | None = None

    @classmethod
    def of(cls, pid: int | None = None, url: str | None = None) -> Self:
        """The card of a process, by default of this one."""
        number = os.getpid() if pid is None else pid
        return cls(pid=number, created=psutil.Process(number).create_time(), url=url)

    @classmethod
    def read(cls, file: Path) -> "RunningCard | None":
        """The card of a process that still runs; None where it has ended."""
        try:
            card = cls.model_validate_json(file.read_bytes())
            alive = psutil.Process(card.pid)
        except (FileNotFoundError, ValidationError, psutil.NoSuchProcess):
            return None
        # process ids are given out again: the time of creation tells
        return card if abs(alive.create_time() - card.created) < 1 and is_alive(alive) else None

    def write(self, file: Path) -> None:
        """Leave it there."""
        atomic.write_text(file, self.model_dump_json())


def card_file(settings: Settings, name: str) -> Path:
    """Where the card of a process lies."""
    return settings.state_dir / "run" / f"{name}.json"


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie that nobody waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
