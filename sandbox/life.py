"""A sandbox as a child process: started, asked, stopped."""

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

from engine.errors import EngineDied
from engine.library.atomic import write_text
from sandbox.counts import Counts
from sandbox.demo_channel import demo_spec
from sandbox.sayings import python_path
from sandbox.spec import SandboxSpec, SandboxVideo

_PATIENCE_S = 120.0
_STOP_S = 8.0
_POLL_S = 0.02
_ROOT = Path(__file__).resolve().parent.parent
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console


def environment_of(url: str, spec: SandboxSpec) -> dict[str, str]:
    """The settings that send Tonspur to a sandbox instead of to YouTube and ODIN AI."""
    settings = {
        "YT_API_ENDPOINT": f"{url}/",
        "YT_FEED_URL": f"{url}/feeds/videos.xml",
        "YT_WATCH_URL": f"{url}/watch/{{id}}",
        "YT_API_KEYS": ",".join(key.key for key in spec.api_keys),
        "ODIN_BASE_URL": url,
        "ODIN_API_KEY": spec.odin.key,
        "ODIN_API_SECRET": spec.odin.secret,
        "ODIN_PROJECT_ID": spec.odin.project_ids[0],
    }
    return settings | ({"PYTHONPATH": python_path()} if spec.outspoken else {})


class Sandbox:
    """Stand-ins for YouTube and ODIN AI on one port of 127.0.0.1.

    `state` outlives the process: documents, counts, quota, and the spec, which is the demo's
    unless another one is given or lies there. `recordings` may be shared by many sandboxes.
    The process ends with this one, however this one ends.
    """

    def __init__(
        self,
        state: Path,
        port: int = 0,
        spec: SandboxSpec | None = None,
        recordings: Path | None = None,
    ) -> None:
        self.state = state.absolute()
        self._port = port
        self._recordings = recordings
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: dict[str, Any] = {}
        file = self.state / "spec.json"
        if spec is None and file.is_file():
            spec = SandboxSpec.model_validate_json(file.read_text(encoding="utf-8"))
        self.spec = spec or demo_spec()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Root of all stand-ins, without a slash at the end."""
        return str(self._ready["url"])

    @property
    def pid(self) -> int:
        """The process that serves."""
        return int(self._ready["pid"])

    @property
    def channel_address(self) -> str:
        """The first channel as a user would paste it."""
        return f"https://www.youtube.com/{self.handle}"

    @property
    def handle(self) -> str:
        """The first channel's @handle."""
        return self.spec.channels[0].handle

    @property
    def channel_id(self) -> str:
        """The first channel's UC… id."""
        return self.spec.channels[0].id

    @property
    def videos(self) -> list[SandboxVideo]:
        """The first channel's videos, the newest first."""
        return self.spec.channels[0].all_videos()

    def environment(self) -> dict[str, str]:
        """The settings that send Tonspur here."""
        return environment_of(self.url, self.spec)

    def start(self) -> None:
        """Starts the process and waits until it listens; the first time the talks are spoken.

        Raises:
            EngineDied: it ended, or does not listen after two minutes; the message says why.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        write_text(self.state / "spec.json", self.spec.model_dump_json(indent=1))
        ready_file = self.state / f"ready-{secrets.token_hex(4)}.json"
        command = [sys.executable, "-m", "sandbox", "--state", str(self.state), "--watch-stdin"]
        command += ["--port", str(self._port), "--ready-file", str(ready_file)]
        if self._recordings:
            command += ["--recordings", str(self._recordings.absolute())]
        paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        with (self.state / "sandbox.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                creationflags=_NO_WINDOW,
            )
        try:
            self._ready = self._await(self._process, ready_file)
        except BaseException:
            self.stop()
            raise
        finally:
            ready_file.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends the process and waits for its end; harmless when there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def truth(self, video_id: str) -> str:
        """The words that are spoken in a video.

        Raises:
            KeyError: no such video.
        """
        from sandbox.recordings import text_of

        video = self.video(video_id)
        return " ".join(text_of(video.talk, video.times).split())

    def language(self, video_id: str) -> str:
        """The language that is spoken in a video.

        Raises:
            KeyError: no such video.
        """
        return self.video(video_id).language

    def video(self, video_id: str) -> SandboxVideo:
        """One video of any channel.

        Raises:
            KeyError: no such video.
        """
        for channel in self.spec.channels:
            for video in channel.all_videos():
                if video.id == video_id:
                    return video
        raise KeyError(video_id)

    def counts(self) -> Counts:
        """What happened since the state folder was made."""
        return Counts.model_validate(self._ask("GET", "counts"))

    def fault(self, **rule: Any) -> None:
        """Plans a fault; the fields are those of `sandbox.faults.Fault`."""
        self._ask("POST", "faults", json.dumps(rule))

    def says(self, video_id: str, text: str = "", times: int | None = 1, **more: Any) -> None:
        """Plans what yt-dlp says of a video; `more` are fields of `sandbox.sayings.Saying`."""
        self.fault(route=f"/watch/{video_id}", times=times, says={"text": text, **more})

    def drop_faults(self) -> None:
        """Forgets every planned fault."""
        self._ask("DELETE", "faults")

    def change(self, spec: SandboxSpec) -> None:
        """Serves `spec` from now on; new talks are spoken first."""
        self._ask("PUT", "spec", spec.model_dump_json())
        self.spec = spec

    def _ask(self, method: str, what: str, body: str | None = None) -> Any:
        request = Request(  # noqa: S310  # always http on loopback
            f"{self.url}/sandbox/{what}",
            data=body.encode() if body is not None else None,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return json.load(answer)

    def _await(self, process: subprocess.Popen[bytes], ready_file: Path) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if ready_file.is_file():
                ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
                return ready
            if process.poll() is not None:
                break
            time.sleep(_POLL_S)
        raise EngineDied(f"The sandbox does not start: {self._last_line()}")

    def _last_line(self) -> str:
        log = (self.state / "sandbox.log").read_text(encoding="utf-8", errors="replace")
        return (log.strip().splitlines() or ["it said nothing"])[-1]
