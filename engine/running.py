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
    watcher: "RunningCard | None" = None
    """Who starts it again when it dies."""

    @classmethod
    def of(
        cls, pid: int | None = None, url: str | None = None, watcher: "RunningCard | None" = None
    ) -> Self:
        """The card of a process, by default of this one."""
        number = os.getpid() if pid is None else pid
        created = psutil.Process(number).create_time()
        return cls(pid=number, created=created, url=url, watcher=watcher)

    @classmethod
    def left(cls, file: Path) -> "RunningCard | None":
        """The card that lies there, whether its process still runs or was killed."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    @classmethod
    def read(cls, file: Path) -> "RunningCard | None":
        """The card of a process that still runs; None where it has ended."""
        card = cls.left(file)
        return card if card and card.runs else None

    @property
    def runs(self) -> bool:
        """Whether its process still runs."""
        try:
            alive = psutil.Process(self.pid)
            # process ids are given out again: the time of creation tells
            return abs(alive.create_time() - self.created) < 1 and is_alive(alive)
        except psutil.NoSuchProcess:
            return False

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
