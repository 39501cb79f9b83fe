"""Prefect's server while many ask for runs at once, as dashboards do: each request comes once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deployments.station import Station

pytestmark = pytest.mark.e2e

NEXT_CENTURY = "2100-01-01T00:00:00Z"


def test_nobody_is_refused_because_another_wrote_meanwhile(station: Station) -> None:
    with httpx.Client(base_url=f"{station.server.url}/", timeout=60) as client:
        named = client.get("deployments/name/process-video/process-video")
        create = f"deployments/{named.raise_for_status().json()['id']}/create_flow_run"
        later = {"type": "SCHEDULED", "state_details": {"scheduled_time": NEXT_CENTURY}}

        def ask(_: int) -> int:
            asked = {"parameters": {"video": "jNQXAC9IVRw"}, "state": later}
            answer = client.post(create, json=asked)
            if answer.is_success:
                client.delete(f"flow_runs/{answer.json()['id']}").raise_for_status()
            return answer.status_code

        with ThreadPoolExecutor(6) as pool:
            assert Counter(pool.map(ask, range(60))) == {201: 60}
