"""The check of the live description."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.odin.contract import ROUTES, checked
from sandbox import Sandbox, SandboxChannel, SandboxSpec

CHANNEL = SandboxChannel(id="UC" + "a" * 22, handle="@nobody", title="Nobody")
ADD = "/v3/project/knowledge/add/file"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    spec = SandboxSpec(channels=(CHANNEL,))
    with (
        Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running,
        urlopen(f"{running.url}/openapi.json") as answer,
    ):
        yield json.load(answer)


def verdicts(description: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one.route.path: (one.verdict, one.found) for one in checked(description)}


def test_a_description_as_we_use_it_is_fine(live: dict[str, Any]) -> None:
    assert {verdict for verdict, _ in verdicts(live).values()} == {"ok"}


def test_a_route_that_is_gone_is_missing_or_has_a_stand_in(live: dict[str, Any]) -> None:
    changed = copy.deepcopy(live)
    del changed["paths"]["/projects"], changed["paths"][ADD]
    found = verdicts(changed)
    assert found["/projects"][0] == "missing"
    assert found[ADD][0] == "changed"
    assert "/v2/project/knowledge/add/file" in found[ADD][1]


def test_a_field_that_is_gone_and_one_that_is_asked_for_are_told(live: dict[str, Any]) -> None:
    changed = copy.deepcopy(live)
    body = changed["paths"][ADD]["post"]["requestBody"]["content"]["multipart/form-data"]
    name = body["schema"]["$ref"].rpartition("/")[2]
    form = changed["components"]["schemas"][name]
    form["properties"]["labels"] = form["properties"].pop("metadata")
    form["required"] = ["labels", "file"]
    verdict, said = verdicts(changed)[ADD]
    assert verdict == "changed"
    assert "does not name metadata" in said
    assert "asks for labels too" in said


@pytest.mark.parametrize("way", ["anyOf", "allOf", "oneOf"])
def test_a_body_that_is_put_together_is_read_too(live: dict[str, Any], way: str) -> None:
    changed = copy.deepcopy(live)
    listing = "/v3/project/{project_id}/knowledgebase"
    content = changed["paths"][listing]["post"]["requestBody"]["content"]["application/json"]
    content["schema"] = {way: [content["schema"], {"type": "null"}]}
    assert {verdict for verdict, _ in verdicts(changed).values()} == {"ok"}
    del changed["components"]["schemas"]["Listing"]["properties"]["name_search"]
    assert verdicts(changed)["/v3/project/{}/knowledgebase"] == (
        "changed",
        "does not name name_search",
    )


def test_a_query_that_is_asked_for_is_told(live: dict[str, Any]) -> None:
    changed = copy.deepcopy(live)
    asked = {"name": "tenant", "in": "query", "required": True}
    changed["paths"]["/projects"]["get"].setdefault("parameters", []).append(asked)
    assert verdicts(changed)["/projects"] == ("changed", "asks for tenant too")


def test_a_schema_that_names_itself_is_no_endless_loop(live: dict[str, Any]) -> None:
    changed = copy.deepcopy(live)
    own = {"$ref": "#/components/schemas/Listing"}
    changed["components"]["schemas"]["Listing"] = {"allOf": [own, own], **own}
    assert len(checked(changed)) == len(ROUTES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["paths", "components"]), JSON))
def test_nonsense_is_no_crash(description: dict[str, Any]) -> None:
    assert len(checked(description)) == len(ROUTES)


@given(
    st.dictionaries(
        st.sampled_from([route.path for route in ROUTES]),
        st.dictionaries(st.sampled_from(["get", "post", "delete"]), JSON, max_size=2),
    )
)
def test_nonsense_at_known_routes_is_no_crash(paths: dict[str, Any]) -> None:
    assert len(checked({"paths": paths})) == len(ROUTES)
