"""OpenAPI: every operation answers problems, and says what it needs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema


class ProblemAutoSchema(AutoSchema):
    """Adds the problem answer and the needed permission to each operation."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["responses"].setdefault(
            "default",
            {
                "description": "A problem (RFC 9457)",
                "content": {
                    "application/problem+json": {
                        "schema": {"$ref": "#/components/schemas/Problem"}
                    }
                },
            },
        )
        needed = getattr(self.view, "permission_by_action", {}).get(
            getattr(self.view, "action", "")
        )
        if needed:
            operation["x-permission"] = needed
        return operation


def add_problem_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: the shape of a problem."""
    text = {"type": "string"}
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {**text, "description": "Stable, for programs."},
            "request_id": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "detail"],
                    "properties": {"field": text, "code": text, "detail": text},
                },
            },
        },
    }
    return result
