"""The commands that run the station, or a part of it, until they are told to end."""

from deployments.terminal import notices


def up() -> None:
    """Server, engine and worker on this machine, each restarted when it dies."""
    from deployments.foreground import staying
    from deployments.station import Station
    from engine.settings import load

    settings = load()
    with (
        staying(settings, "up"),
        Station(settings, notices.print, settings.worker_queues) as station,
    ):
        if not station.started_any:
            notices.print(f"Tonspur is up already: {station.dashboard}")
            return
        notices.print(f"Tonspur is up: {station.dashboard}  (Ctrl-C ends it)")
        station.watch()


def engine() -> None:
    """The engine alone, restarted when it dies; for a machine whose services are run otherwise."""
    from deployments import commands
    from deployments.foreground import staying
    from engine.settings import load

    with staying(load(), "engine"):
        commands.run_engine(notices)


def server() -> None:
    """The Prefect server alone, restarted when it dies; for services."""
    from deployments.foreground import staying
    from deployments.parts import run_server
    from engine.settings import load

    settings = load()
    with staying(settings, "server"):
        run_server(settings, notices.print)


def worker() -> None:
    """The worker alone, restarted when it dies; waits for the server; for services."""
    from deployments.foreground import staying
    from deployments.parts import run_worker
    from engine.settings import load

    settings = load()
    with staying(settings, "worker"):
        run_worker(settings, notices.print)


def stop() -> None:
    """Server, engine and worker of this machine, whoever started them."""
    from deployments.stopping import stop_all
    from engine.settings import load

    stopped = stop_all(load())
    notices.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing runs.")
