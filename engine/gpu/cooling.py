"""Pauses between batches while the card is too hot."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.gpu.state import Reading

HYSTERESIS_C = 5
"""So far below the limit the card must come before work goes on: no pause after every batch."""
LONGEST_PAUSE_S = 120.0
"""A card that stays hot so long is not cooled by our waiting; its driver throttles it anyway."""
_STEP_S = 0.5
"""Between two looks at the temperature and at `abort`, which must be noticed within 2 s."""


@dataclass(frozen=True)
class Cooling:
    """Keeps a card at or below `limit_c` degrees Celsius, as far as pausing can.

    `read` is a watch's; the card counts as cool when its temperature is not known.
    """

    limit_c: float
    read: Callable[[], Reading]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def rest(
        self,
        abort: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> float:
        """Wait until the card is cool, and return the seconds that took; call it between batches.

        A pause is announced once, with `say`. It ends early when `abort` says so: whoever called
        looks at `abort` next.
        """
        temperature = self._temperature()
        if temperature is None or temperature <= self.limit_c:
            return 0.0
        wanted = self.limit_c - HYSTERESIS_C
        say(
            f"The GPU has {temperature} °C, the limit is {self.limit_c:g} °C: pausing until it has "
            f"{wanted:g} °C, at most {LONGEST_PAUSE_S:g} s."
        )
        begun = self.clock()
        while not abort() and self.clock() - begun < LONGEST_PAUSE_S:
            self.sleep(_STEP_S)
            temperature = self._temperature()
            if temperature is None or temperature <= wanted:
                break
        return self.clock() - begun

    def _temperature(self) -> int | None:
        state = self.read().state
        return None if state is None else state.temperature_c
