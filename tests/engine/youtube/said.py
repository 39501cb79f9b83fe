"""A process of its own for the real yt-dlp: it looks for plugins once, when it is loaded.

Reads cases as JSON from standard input, plans each in the sandbox, looks the video up or fetches
it, and prints what came of it.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from engine.errors import Deferred, TonspurError
from engine.settings import Settings
from engine.youtube import downloads, pause, ytdlp_options

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = os.environ["YT_WATCH_URL"].partition("/watch/")[0]


def ask(method: str, what: str, body: Any = None) -> Any:
    told = {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{ROOT}/sandbox/{what}", data, told, method=method)) as answer:
        return json.load(answer)


def requests() -> int:
    counted: dict[str, int] = ask("GET", "counts")["requests"]
    return sum(counted.values())


def met(settings: Settings, case: dict[str, Any]) -> TonspurError | None:
    video_id = case["video_id"]
    try:
        if case["fetch"]:
            folder = Path(settings.library_dir)
            downloads.download(
                video_id,
                folder,
                "x",
                settings,
                expected_s=None,
                progress=lambda done, total: None,
                clock=lambda: NOW,
            )
        else:
            downloads.metadata(video_id, settings, clock=lambda: NOW)
    except TonspurError as error:
        return error
    return None


def outcome(error: TonspurError | None) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    wait = error.not_before - NOW if isinstance(error, Deferred) else None
    seconds = wait.total_seconds() if wait else None
    return {"leaf": kinds[0], "kinds": kinds, "message": str(error), "wait_s": seconds}


def tried(settings: Settings, case: dict[str, Any]) -> dict[str, Any]:
    for fault in case["faults"]:
        ask("POST", "faults", fault)
    found = outcome(met(settings, case))
    at = pause.until(settings, NOW)
    before = requests()
    found["paused_s"] = (at - NOW).total_seconds() if at else None
    found["next"] = outcome(met(settings, case))["leaf"] if at else None
    found["asked_by_next"] = requests() - before
    ask("DELETE", "faults")
    pause.lift(settings)
    return found


def main() -> None:
    ytdlp_options.REQUEST_PAUSE_S = 0
    ytdlp_options.LONGEST_PAUSE_S = 0
    settings = Settings(_env_file=None)
    print(json.dumps([tried(settings, case) for case in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
