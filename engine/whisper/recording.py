"""One recording on its way through a model: its language, and its segments in order."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from threading import Event, Thread

from engine.audio.preparation import PreparedAudio
from engine.audio.samples import Samples, read_samples
from engine.audio.windows import Span, Window
from engine.transcript import Segment
from engine.whisper import language as languages
from engine.whisper import segments as segments_of
from engine.whisper.decoding import Backend, Manner, Scribe
from engine.whisper.encoder import Memory
from engine.whisper.model import Model
from engine.whisper.pauses import at_pauses
from engine.whisper.seams import Joiner
from engine.whisper.tasks import Tasks

Told = Callable[[float, float], None]


class Recording:
    """What is known of it so far; may go on with another model or backend where one gave up."""

    def __init__(
        self,
        prepared: PreparedAudio,
        *,
        words: bool,
        progress: Told,
        segment: Callable[[Segment], None],
        abort: Callable[[], bool],
    ) -> None:
        """`words`: segments keep those of their words."""
        self.segments: list[Segment] = []
        self.language: str | None = None
        self._prepared = prepared
        self._words = words
        self._progress = progress
        self._segment = segment
        self._abort = abort
        self._joiner = Joiner()
        self._done = 0
        self._heard: dict[int, Memory] = {}

    def write(self, model: Model, backend: Backend, asked: str, beams: int = 1) -> None:
        """Write down what is left of it, in the language asked for or the one that is spoken.

        What is told of progress are seconds of speech, done and in all.

        Raises:
            Aborted: that was asked for.
            torch.OutOfMemoryError: it does not fit; all that was told stays.
        """
        self._heard = {}
        if self.language is None:
            self.language = asked if asked != languages.AUTO else self._spoken(model, backend)
        windows, total_s = self._prepared.windows, self._prepared.speech_s
        left = range(self._done, len(windows))
        tasks = Tasks(left)
        manner = Manner(self.language, beams)
        self._progress(self._done_s(total_s), total_s)
        with self._scribes(model, backend, tasks, manner):
            for number, row in zip(left, tasks.results(left), strict=True):
                window = windows[number]
                said = segments_of.of_tokens(
                    row.tokens, row.timed, window, model.vocabulary, model.text
                )
                fitted = at_pauses(said, window, self._speech_in(window))
                self._take(self._joiner.add(window, fitted))
                self._done = number + 1
                self._progress(self._done_s(total_s), total_s)
        self._take(self._joiner.finish())
        self._progress(total_s, total_s)

    def _done_s(self, total_s: float) -> float:
        """Seconds of speech in the windows that are done: windows hold little else."""
        spans = self._prepared.windows
        heard_s = sum(window.duration_s for window in spans)
        done_s = sum(window.duration_s for window in spans[: self._done])
        return total_s * done_s / heard_s

    def _spoken(self, model: Model, backend: Backend) -> str:
        voters = languages.voters(len(self._prepared.windows))
        sounds = {number: self.sound(number) for number in voters}
        spoken, self._heard = languages.spoken(model, backend, sounds, self._abort)
        return spoken

    @contextmanager
    def _scribes(
        self, model: Model, backend: Backend, tasks: Tasks, manner: Manner
    ) -> Iterator[None]:
        """Threads that work on the tasks; gone when this is left."""
        left = Event()

        def abort() -> bool:
            return left.is_set() or self._abort()

        def work() -> None:
            try:
                Scribe(model, backend, tasks, self, manner, self._heard, abort).work()
            except BaseException as fault:
                tasks.fail(fault)
                left.set()

        threads = [
            Thread(target=work, name=f"scribe-{n}", daemon=True) for n in range(backend.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            left.set()
            for thread in threads:
                thread.join()

    def _take(self, final: Sequence[Segment]) -> None:
        for one in final:
            if not self._words:
                one = one.model_copy(update={"words": None})
            self.segments.append(one)
            self._segment(one)

    def sound(self, number: int) -> Samples:
        """A window's samples."""
        window, gain_db = self._prepared.windows[number], self._prepared.gain_db
        return read_samples(self._prepared.wav, gain_db, window.start_s, window.end_s)

    def speech(self, number: int) -> list[Span]:
        """Where somebody speaks, in seconds from the window's start."""
        window = self._prepared.windows[number]
        shift = window.start_s
        return [
            Span(max(0.0, s.start_s - shift), min(s.end_s, window.end_s) - shift)
            for s in self._speech_in(window)
        ]

    def _speech_in(self, window: Window) -> tuple[Span, ...]:
        speech = self._prepared.speech
        first = bisect_right(speech, window.start_s, key=attrgetter("end_s"))
        last = bisect_left(speech, window.end_s, key=attrgetter("start_s"))
        return speech[first:last]
