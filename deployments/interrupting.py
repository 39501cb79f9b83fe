"""Ctrl-C and SIGTERM are not lost, wherever they come; a second one lets the tidying up go on.

A handler's exception begins at any line of the main thread, and where that line was called from a
finalizer or from foreign C code, Python drops it ("Exception ignored in …") and goes on. What was
dropped dies before the command has ended: then the signal is raised again.
"""

import _thread
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

_PATIENCE_S = 0.3
"""From the death of what was raised until it is raised again; a command that ends is quicker."""

_ended = threading.Event()


class _Noticed(BaseException):
    """Whose death is noticed: it has arrived, or Python dropped it."""

    alive = 0
    """How many are on their way."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        _Noticed.alive += 1

    def __del__(self) -> None:
        _Noticed.alive -= 1
        _insist(self._number)


class Interrupted(_Noticed, KeyboardInterrupt):
    """Raised by SIGINT, and by SIGTERM where it means the same."""


class Ended(_Noticed, SystemExit):
    """Raised by SIGTERM in a command that stays until then: it has done its work, status 0."""


def listen() -> None:
    """SIGINT and SIGTERM interrupt the command from now on, until `ended`."""
    _ended.clear()
    # whoever starts a command in the background may have had Ctrl-C ignored
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def listen_for_the_end() -> None:
    """SIGTERM ends the command with status 0 from now on."""
    signal.signal(signal.SIGTERM, _end)


def ended() -> None:
    """The command is over: what was raised has arrived."""
    _ended.set()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _Noticed.alive:
        raise Interrupted(number)  # in no variable: its traceback would keep it alive


def _end(number: int, frame: FrameType | None) -> None:
    if not _Noticed.alive:
        raise Ended(number)


def _insist(number: int) -> None:
    # a thread that is begun while Python ends never begins, and its maker waits for it for ever
    if not _ended.is_set() and not sys.is_finalizing():
        again = threading.Timer(_PATIENCE_S, _raise_again, [number])
        again.daemon = True
        again.start()


def _raise_again(number: int) -> None:
    if _ended.is_set():
        return
    wake: Callable[[int, int], None] | None = getattr(signal, "pthread_kill", None)
    main = threading.main_thread().ident
    if wake and main is not None:
        wake(main, number)  # also out of a call that waits
    else:  # windows only: it has no such call
        _thread.interrupt_main(number)
