"""The description of each version, from the one that the views give.

A post-processing hook of drf-spectacular: paths move to the version, and the
schemas of changed resources get its names. docs/openapi-v2.yaml is made with
`spectacular --custom-settings dotmac.gateway.versions.openapi.V2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dotmac.gateway.versions.changes import NATIVE, ROOT
from dotmac.gateway.versions.shapes import shape_for

_REFERENCE = "#/components/schemas/"
_PARAMETER = re.compile(r"\{[^}]+\}")
# What every page of a list has around its rows.
_PAGE = "results"


def as_v2(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The hook for v2."""
    return described(result, "v2")


V2: dict[str, Any] = {
    "VERSION": "v2 (preview)",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dotmac.core.api.schema.add_problem_schema",
        "dotmac.gateway.versions.openapi.as_v2",
    ],
}


def described(result: dict[str, Any], version: str) -> dict[str, Any]:
    """The same description by another version's names and paths."""
    schemas = result["components"]["schemas"]
    done: dict[str, Mapping[str, str]] = {}
    paths = {}
    for path, operations in result["paths"].items():
        rest = path.removeprefix(f"{ROOT}{NATIVE}/")
        shape = shape_for(version, _PARAMETER.sub("1", rest))
        if shape is not None:
            for schema in _schemas_of(operations):
                _rename(schema, schemas, shape.outward, done)
            _rename_parameters(operations, shape.outward)
        paths[path.replace(f"{ROOT}{NATIVE}/", f"{ROOT}{version}/", 1)] = operations
    _refuse_shared(result["paths"], done, version)
    return {**result, "paths": paths}


def _schemas_of(operations: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of bodies and answers, problems apart."""
    for operation in operations.values():
        holders = [operation.get("requestBody", {})]
        holders += [
            answer
            for status, answer in operation.get("responses", {}).items()
            if status != "default"
        ]
        for holder in holders:
            for content in holder.get("content", {}).values():
                yield content["schema"]


def _rename(
    schema: dict[str, Any],
    schemas: dict[str, Any],
    names: Mapping[str, str],
    done: dict[str, Mapping[str, str]],
) -> None:
    """Rename the properties of one thing, or of the rows of a list of it."""
    if reference := schema.get("$ref"):
        name = reference.removeprefix(_REFERENCE)
        if name in done:
            return
        target = schemas[name]
        if _PAGE not in target.get("properties", {}):
            done[name] = names
        _rename(target, schemas, names, done)
        return
    if schema.get("type") == "array":
        _rename(schema["items"], schemas, names, done)
        return
    properties = schema.get("properties", {})
    if _PAGE in properties:
        _rename(properties[_PAGE], schemas, names, done)
        return
    schema["properties"] = {
        names.get(name, name): inner for name, inner in properties.items()
    }
    if "required" in schema:
        schema["required"] = sorted(names.get(n, n) for n in schema["required"])


def _rename_parameters(operations: Mapping[str, Any], names: Mapping[str, str]) -> None:
    for operation in operations.values():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                parameter["name"] = names.get(parameter["name"], parameter["name"])


def _refuse_shared(
    paths: Mapping[str, Any], done: Mapping[str, Any], version: str
) -> None:
    """A schema that unchanged resources use too would be described wrongly."""
    for path, operations in paths.items():
        rest = _PARAMETER.sub("1", path.removeprefix(f"{ROOT}{NATIVE}/"))
        if shape_for(version, rest) is not None:
            continue
        used = {
            str(schema.get("$ref", "")).removeprefix(_REFERENCE)
            for schema in _schemas_of(operations)
        }
        if shared := used & set(done):
            raise ValueError(f"{path} and a changed resource share {shared}.")
