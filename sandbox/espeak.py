"""eSpeak NG in a process of its own: `espeak.py VOICE WORDS_PER_MINUTE`, text in, samples out.

Run as a program: the library keeps its state per process, and only the first text
that a process says sounds the same every time. Sentences come a line each; an empty line is the
longer pause between paragraphs. Mono, 16 bits, little-endian, 22,050 samples per second.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

RATE = 22_050
PAUSE_S, PARAGRAPH_PAUSE_S = 0.35, 0.8
NOT_INSTALLED, NO_VOICES = 3, 4

_SYNCHRONOUS, _NO_EXIT = 2, 0x8000
_RATE_PARAMETER, _CHARACTER_POSITION, _UTF8 = 1, 1, 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def main(voice: str, words_per_minute: str) -> int:
    """Says standard input; returns the exit status."""
    try:
        import espeakng_loader  # type: ignore[import-untyped]
    except ImportError:
        return NOT_INSTALLED
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = _narrow(espeakng_loader.get_data_path())
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT) != RATE:
        return NO_VOICES
    if library.espeak_SetVoiceByName(voice.encode()):
        return NO_VOICES
    library.espeak_SetParameter(_RATE_PARAMETER, int(words_per_minute), 0)
    sound = bytearray(_silence(PAUSE_S))
    listener = _Callback(_listener(sound))  # held here: a collected callback crashes the process
    library.espeak_SetSynthCallback(listener)
    for line in sys.stdin.buffer.read().decode("utf-8").splitlines():
        if line.strip():
            spoken = line.strip().encode("utf-8")
            size = ctypes.c_size_t(len(spoken) + 1)
            library.espeak_Synth(spoken, size, 0, _CHARACTER_POSITION, 0, _UTF8, None, None)
            library.espeak_Synchronize()
            sound += _silence(PAUSE_S)
        else:
            sound += _silence(PARAGRAPH_PAUSE_S - PAUSE_S)
    sys.stdout.buffer.write(sound)
    return 0


def _listener(sound: bytearray) -> Callable[[Any, int, Any], int]:
    def listen(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, count * 2))
        return 0

    return listen


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def _narrow(path: str) -> bytes:
    # eSpeak NG opens files by narrow names, which on Windows are in the ANSI code page.
    return path.encode("mbcs") if sys.platform == "win32" else os.fsencode(path)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
