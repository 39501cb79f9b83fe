"""What dies is started again, with pauses of its own."""

from deployments.supervisor import Supervisor
from engine.errors import ServiceTrouble


class Part:
    """Dies when told to; restarting may fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.restarts = 0
        self.trouble = False

    def restart(self) -> None:
        self.restarts += 1
        if self.trouble:
            raise ServiceTrouble(f"{self.name} does not start")
        self.alive = True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def seconds_until_restart(part: Part, supervisor: Supervisor, clock: Clock) -> float:
    part.alive = False
    begun, before = clock.now, part.restarts
    while part.restarts == before:
        supervisor.look()
        clock.now += 0.5
    return clock.now - begun


def test_pauses_grow_with_each_death_and_are_forgotten_after_a_calm_minute() -> None:
    clock, part, said = Clock(), Part("worker"), list[str]()
    supervisor = Supervisor([part], said.append, clock)
    pauses = [seconds_until_restart(part, supervisor, clock) for _ in range(4)]
    assert pauses == [1.5, 2.5, 5.5, 10.5]
    assert said[0] == "The worker has ended; it is started again in 1 s."
    clock.now += 61
    supervisor.look()
    assert seconds_until_restart(part, supervisor, clock) == 1.5


def test_the_death_of_one_does_not_delay_another() -> None:
    clock, frail, sound = Clock(), Part("worker"), Part("engine")
    supervisor = Supervisor([frail, sound], lambda text: None, clock)
    for _ in range(5):
        seconds_until_restart(frail, supervisor, clock)
    assert seconds_until_restart(sound, supervisor, clock) == 1.5


def test_what_does_not_start_is_told_and_tried_again() -> None:
    clock, part, said = Clock(), Part("engine"), list[str]()
    part.trouble = True
    supervisor = Supervisor([part], said.append, clock)
    seconds_until_restart(part, supervisor, clock)
    assert "engine does not start" in said
    part.trouble = False
    seconds_until_restart(part, supervisor, clock)
    assert part.alive
