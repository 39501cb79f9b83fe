"""`tonspur console`: Streamlit on loopback, for the person at this machine alone."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployments.terminal import notices
from engine.errors import MissingProgram

_PAGE = Path(__file__).with_name("page.py")
_PORT = 8501
_UPLOAD_MB = 2000


def options(port: int, open_browser: bool) -> dict[str, str]:
    """What Streamlit is told, as its environment; nothing of it leaves this machine."""
    return {
        "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "false" if open_browser else "true",
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(_UPLOAD_MB),
        "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "STREAMLIT_SERVER_SHOW_EMAIL_PROMPT": "false",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "STREAMLIT_BROWSER_SERVER_ADDRESS": "127.0.0.1",
        "STREAMLIT_CLIENT_TOOLBAR_MODE": "minimal",
        "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none",
        "STREAMLIT_RUNNER_MAGIC_ENABLED": "false",
    }


def console(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where it listens; 0: any free port.")
    ] = _PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no window.")] = False,
) -> None:
    """The console in the browser, on this machine alone; ends with Ctrl-C."""
    try:
        from streamlit.web import cli as streamlit
    except ImportError as error:
        raise MissingProgram('The console needs Streamlit: pip install -e ".[console]".') from error
    from deployments.server import free_port
    from engine.settings import load

    load()  # what is wrong shows here, and not in the browser alone
    chosen = free_port(port)
    os.environ.update(options(chosen, not no_browser))
    notices.print(f"Console: http://127.0.0.1:{chosen}  (Ctrl-C ends it)")
    sys.path.insert(0, str(_PAGE.parents[1]))
    streamlit.main(["run", str(_PAGE)], standalone_mode=False)
