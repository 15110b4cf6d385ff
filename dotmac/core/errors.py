"""Anticipated refusals. Each has a stable code; the edge turns it into words.

A DomainError changes nothing: operations raise it before they write, or inside
the transaction that then rolls back. The API presents it as RFC 9457
problem+json, the console and the portal as a message or a form error.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """The request was understood and refused; nothing changed."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The request was refused."

    def __init__(
        self, detail: str = "", *, field: str | None = None, **facts: Any
    ) -> None:
        self.detail = detail or self.title
        self.field = field
        self.facts = facts
        super().__init__(self.detail)


class InvalidInput(DomainError):
    """A value is malformed; `field` names it."""

    code = "invalid"
    status = 400
    title = "A value is not valid."


class NotFound(DomainError):
    """The thing does not exist, or is not the actor's to see."""

    code = "not_found"
    status = 404
    title = "Not found."


class PermissionRefused(DomainError):
    """The actor lacks the permission for this kind of act."""

    code = "permission_denied"
    status = 403
    title = "You do not have permission to do this."


class StepUpRequired(DomainError):
    """A dangerous operation: show the second factor again, then repeat it."""

    code = "step_up_required"
    status = 403
    title = "Confirm with a one-time code first."


class Conflict(DomainError):
    """The state of things does not allow it now."""

    code = "conflict"
    status = 409
    title = "The current state does not allow this."


class PreconditionFailed(DomainError):
    """If-Match named another version: somebody changed the record meanwhile."""

    code = "precondition_failed"
    status = 412
    title = "The record changed since you read it."


class AuthenticationRefused(DomainError):
    """Who you are could not be established."""

    code = "not_authenticated"
    status = 401
    title = "Sign in first."


class Unavailable(DomainError):
    """Something that the request needs does not answer; try again later."""

    code = "unavailable"
    status = 503
    title = "A part that this needs does not answer. Nothing was changed."
