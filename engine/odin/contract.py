"""What Tonspur uses of ODIN AI's API, and whether the live description of it still has that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "changed", "missing"]


@dataclass(frozen=True)
class Route:
    """One address. `older` stands in where this one is missing; `fields` are those that we send."""

    method: str
    path: str
    used_for: str
    fields: tuple[str, ...] = ()
    older: str | None = None
    needed: bool = True


ROUTES: tuple[Route, ...] = (
    Route("GET", "/projects", "checks key and secret"),
    Route(
        "POST",
        "/v3/project/knowledge/add/file",
        "uploads a document",
        ("file", "project_id", "metadata", "file_type", "force", "path"),
        "/v2/project/knowledge/add/file",
    ),
    Route(
        "POST",
        "/v3/project/{}/knowledgebase",
        "lists the documents",
        ("page", "items_per_page", "name_search", "content_keys", "path", "recursive"),
        "/project/{}/knowledgebase",
    ),
    Route(
        "GET",
        "/project/knowledge/status",
        "asks how far indexing is",
        ("project_id", "file_name"),
        needed=False,
    ),
    Route(
        "POST",
        "/project/{}/document/chunks",
        "counts the indexed pieces",
        ("content_key", "page", "page_size"),
        needed=False,
    ),
    Route(
        "POST",
        "/tools/kb/fetch_documents",
        "reads a document's metadata",
        ("project_id", "content_keys"),
        needed=False,
    ),
    Route("DELETE", "/project/knowledge/delete", "deletes a document", ("project_id", "resources")),
    Route(
        "POST",
        "/v2/project/search",
        "answers `tonspur ask`",
        ("project_id", "query", "max_results"),
        "/project/search",
        needed=False,
    ),
)


@dataclass(frozen=True)
class RouteCheck:
    """What the live description says of one route."""

    route: Route
    verdict: Verdict
    found: str


def checked(description: Mapping[str, Any]) -> list[RouteCheck]:
    """Each route that we use against an OpenAPI document."""
    described = {
        (method.upper(), _shape(path)): operation
        for path, methods in _mapping(description.get("paths")).items()
        for method, operation in _mapping(methods).items()
    }
    return [_check(route, described, description) for route in ROUTES]


def _check(
    route: Route,
    described: Mapping[tuple[str, str], Any],
    description: Mapping[str, Any],
) -> RouteCheck:
    operation = described.get((route.method, route.path))
    if operation is None:
        older = route.older and described.get((route.method, route.older))
        if older is None or not route.older:
            return RouteCheck(route, "missing", "not in the live description")
        return RouteCheck(route, "changed", f"gone; {route.older} is there and stands in")
    known = _fields(operation, description)
    lost = [name for name in route.fields if known and name not in known]
    new = [name for name in _required(operation, description) if name not in route.fields]
    said = [f"does not name {', '.join(lost)}"] if lost else []
    said += [f"asks for {', '.join(new)} too"] if new else []
    return RouteCheck(route, "changed" if said else "ok", "; ".join(said) or "as we use it")


def _shape(path: str) -> str:
    """The path with every parameter as `{}`."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _fields(operation: Any, description: Mapping[str, Any]) -> set[str]:
    named = {str(p.get("name")) for p in _parameters(operation) if p.get("in") == "query"}
    for schema in _schemas(operation, description):
        named |= set(_mapping(schema.get("properties")))
    return named


def _required(operation: Any, description: Mapping[str, Any]) -> list[str]:
    asked = [p for p in _parameters(operation) if p.get("in") == "query" and p.get("required")]
    names = [str(p.get("name")) for p in asked]
    for schema in _schemas(operation, description):
        listed = schema.get("required")
        names += [str(name) for name in listed] if isinstance(listed, list) else []
    return names


def _parameters(operation: Any) -> list[Mapping[str, Any]]:
    listed = _mapping(operation).get("parameters")
    return [_mapping(p) for p in listed] if isinstance(listed, list) else []


def _schemas(operation: Any, description: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    content = _mapping(_mapping(_mapping(operation).get("requestBody")).get("content"))
    for kind in content.values():
        yield from _parts(_mapping(_mapping(kind).get("schema")), description, set())


def _parts(
    schema: Mapping[str, Any], description: Mapping[str, Any], seen: set[str]
) -> Iterable[Mapping[str, Any]]:
    """The schema, where its reference leads, and what it is put together of."""
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        seen.add(reference)  # a schema may name itself
        yield from _parts(_place(reference, description), description, seen)
    for way in ("allOf", "anyOf", "oneOf"):
        listed = schema.get(way)
        for part in listed if isinstance(listed, list) else ():
            yield from _parts(_mapping(part), description, seen)


def _place(reference: str, description: Mapping[str, Any]) -> Mapping[str, Any]:
    place: Any = description
    for part in reference.removeprefix("#/").split("/"):
        place = _mapping(place).get(part)
    return _mapping(place)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
