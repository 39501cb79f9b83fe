"""The form that the dashboard shows for a deployment."""

from typing import Any

from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema


def form_of(flow: Flow[..., Any]) -> dict[str, Any]:
    """The schema of a flow's parameters: what may be left out is an empty field or select box.

    Prefect shows "X or None" as two buttons of which the second is pressed. A field without a
    default takes null as well, so nothing that was valid becomes wrong.
    """
    schema = parameter_schema(flow).model_dump(exclude_unset=True)
    fields = {name: _plain(field) for name, field in schema["properties"].items()}
    return {**schema, "properties": fields}


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    kinds = field.get("anyOf", [])
    chosen = [kind for kind in kinds if kind != {"type": "null"}]
    may_be_plain = len(chosen) == 1 and len(kinds) == len(chosen) + 1 and "type" in chosen[0]
    if not may_be_plain or field.get("default") is not None:
        return field
    rest = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    kind = dict(chosen[0])
    if "enum" in kind:
        kind["enum"] = [*kind["enum"], None]
    return rest | kind
