"""A server on loopback that is not ours."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

PASSWORD = "Basic " + base64.b64encode(b"operator:right").decode()


class Healthy(BaseHTTPRequestHandler):
    """A server that is not ours, but says that it is well; behind /guarded it asks who is there."""

    def do_GET(self) -> None:  # noqa: N802
        guarded = "guarded" in self.path and not self.path.endswith("/health")
        refused = guarded and self.headers["Authorization"] != PASSWORD
        self.send_response(401 if refused else 200)
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def foreign() -> Iterator[int]:
    other = HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=other.serve_forever)
    thread.start()
    yield other.server_port
    other.shutdown()
    thread.join()
    other.server_close()
