"""The spoken talks on disk: made once, found again by the fingerprint of text and recipe."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from engine.library.atomic import write_text
from sandbox.spec import Container, SandboxSpec, SandboxVideo
from sandbox.voice import RECIPE, speak

TALKS_DIR = Path(__file__).with_name("talks")
_AT_ONCE = 2
_UNHEARD_S = 61.0  # what videos that nobody may fetch claim to last


@dataclass(frozen=True)
class Recording:
    """A talk in a container; length in seconds of speech and pauses."""

    path: Path
    seconds: float


class Recordings:
    """All recordings of a folder, which several sandboxes may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int, Container], Recording] = {}

    def prepare(self, spec: SandboxSpec) -> None:
        """Speaks what the spec needs and the folder lacks.

        Raises:
            MissingProgram: eSpeak NG or ffmpeg is missing.
            FileNotFoundError: the spec names a talk that does not exist.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        needed = [
            (talk, times, language, container)
            for talk, times, language, container in sorted(spec.talks)
            if (talk, times, container) not in self._known
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            made = list(pool.map(lambda need: self._find_or_speak(*need), needed))
        for (talk, times, _, container), recording in zip(needed, made, strict=True):
            self._known[talk, times, container] = recording

    def of(self, video: SandboxVideo) -> Recording:
        """What is heard in a video; it has been prepared."""
        return self._known[video.talk, video.times, video.container]

    def seconds(self, video: SandboxVideo) -> float:
        """Length of a video as metadata tell it, 0 where there is none yet."""
        if video.obstacle in ("upcoming", "live"):
            return 0.0
        if video.claimed_s is not None:
            return video.claimed_s
        known = self._known.get((video.talk, video.times, video.container))
        return known.seconds if known else _UNHEARD_S

    def _find_or_speak(
        self, talk: str, times: int, language: str, container: Container
    ) -> Recording:
        text = text_of(talk, times)
        recipe = "\0".join((RECIPE, language, container, text))
        mark = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        path = self._folder / f"{talk}-{mark}.{container}"
        note = path.with_suffix(".json")
        if path.is_file() and note.is_file():
            found = json.loads(note.read_text(encoding="utf-8"))
            if found["bytes"] == path.stat().st_size:
                return Recording(path, found["seconds"])
        seconds = speak(text, language, path)
        write_text(note, json.dumps({"seconds": seconds, "bytes": path.stat().st_size}))
        return Recording(path, seconds)


def text_of(talk: str, times: int = 1) -> str:
    """The words of a talk, said so often.

    Raises:
        FileNotFoundError: there is no such talk.
    """
    return "\n\n".join([(TALKS_DIR / f"{talk}.txt").read_text(encoding="utf-8")] * times)
