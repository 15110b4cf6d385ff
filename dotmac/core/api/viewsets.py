"""Bases of the API's views: permission per action, keyset lists, ETags, fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import mixins
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from dotmac.core.actors import Actor
from dotmac.core.api import actor_of
from dotmac.core.api.pagination import Sourced
from dotmac.core.errors import PreconditionFailed
from dotmac.core.permissions import is_declared

FIELDS_MAX = 50
ID_MAX = 2**63 - 1


_FORMAT = frozenset({"format"})
_PARAMETERS = {
    "retrieve": _FORMAT | {"fields"},
    **dict.fromkeys(("create", "update", "partial_update", "destroy"), _FORMAT),
}


class UndeclaredPermission(Exception):
    """A view serves an action without saying which permission it needs."""


class ApiViewSet(GenericViewSet[Any]):
    """What every resource shares.

    Subclasses set `permission_by_action` for each action they serve (checked
    when the routes are built), `rows(actor, permission)` for the visible rows,
    `keyset` for the order, `filters` for the query parameters that they accept.
    """

    permission_by_action: ClassVar[dict[str, str]] = {}
    keyset: ClassVar[tuple[str, ...]] = ("-id",)
    lookup_value_regex = r"\d{1,18}"

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, then whether each query parameter means something.

        Lists name theirs as filters, own actions read their own.
        """
        super().initial(request, *args, **kwargs)
        known = _PARAMETERS.get(self.action or "")
        if known is not None and (unknown := set(request.query_params) - known):
            says = _("There is no such parameter here.")
            raise ValidationError({name: [says] for name in sorted(unknown)})

    def permission_for(self, request: Request) -> str | None:
        """The permission of the current action; OPTIONS and unknown: none."""
        return self.permission_by_action.get(self.action or "")

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        """The rows that the actor may reach with the permission."""
        raise TypeError(f"{type(self).__name__} does not say which rows it serves.")

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            model_rows: Any = cast(Any, self).queryset
            return cast("QuerySet[Any]", model_rows.none())
        permission = self.permission_for(self.request)
        assert permission is not None, "DeclaredPermission lets no such request in."
        return self.rows(self.actor, permission)

    def get_object(self) -> Any:
        """The row, or 404 alike for missing and for another's."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def get_serializer(self, *args: Any, **kwargs: Any) -> BaseSerializer[Any]:
        serializer = super().get_serializer(*args, **kwargs)
        # Schema generation has no request.
        request: Any = self.request
        wanted = _wanted_fields(request) if request is not None else None
        if wanted and request.method == "GET":
            _narrow(serializer, wanted)
        return serializer

    def body(self, serializer_class: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The validated body of a write; raises a problem that names fields."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def answer(self, row: Any, *, status: int = 200) -> Response:
        """One row through the view's serializer, with its ETag."""
        response = Response(self.get_serializer(row).data, status=status)
        if tag := etag_of(row):
            response["ETag"] = tag
        return response


class ListMixin(mixins.ListModelMixin):
    """GET on the collection, keyset pages."""


class PlainListMixin:
    """GET on a collection whose fields are plain columns.

    `columns` maps names of the answer to columns. Rows go from the database to
    JSON without model instances and serializer fields, which is most of what a
    list costs; the serializer describes the same shape and serves the detail.
    """

    columns: ClassVar[Mapping[str, str]] = {}
    # Whether rows() of a scope are those of its sources together: then a page is put
    # together from a page of each.
    pages_by_source: ClassVar[bool] = False

    def list(self: Any, request: Request) -> Response:
        wanted = _wanted_fields(request)
        if unknown := (wanted or set()) - set(self.columns):
            raise ParseError(_("There is no field %s.") % ", ".join(sorted(unknown)))
        columns = {
            name: column
            for name, column in self.columns.items()
            if wanted is None or name in wanted
        }
        keys = [name.lstrip("-") for name in self.keyset]
        page = self.paginate_queryset(_values(self, {*columns.values(), *keys}))
        answer: Response = self.get_paginated_response(_plain(page, columns))
        return answer


def _values(view: Any, names: Collection[str]) -> QuerySet[Any] | Sourced:
    """The rows of a list as mappings; of several sources of the scope as such."""
    permission = view.permission_for(view.request)
    actors = view.actor.by_source(permission) if view.pages_by_source else []
    if len(actors) < 2:
        rows: QuerySet[Any] = view.filter_queryset(view.get_queryset())
        return rows.values(*names)
    parts = [view.filter_queryset(view.rows(one, permission)) for one in actors]
    return Sourced(parts[0].model.objects.values(*names), parts)


def _plain(
    page: Sequence[Mapping[str, Any]], columns: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Rows by the answer's names: instants as DRF writes them, all else is JSON.

    Only columns that hold instants are looked at value by value: a page of fifty
    has a thousand others.
    """
    items = tuple(columns.items())
    answers = [{name: row[column] for name, column in items} for row in page]
    zone = timezone.get_current_timezone()
    for name in columns:
        first = next((a[name] for a in answers if a[name] is not None), None)
        if isinstance(first, datetime):
            for answer in answers:
                instant = answer[name]
                if instant is not None:
                    answer[name] = instant.astimezone(zone).isoformat()
    return answers


class RetrieveMixin:
    """GET on one, with its ETag."""

    def retrieve(self: Any, request: Request, pk: str) -> Response:
        answer: Response = self.answer(self.get_object())
        return answer


def check_declared(name: str, view: Any, open_names: Collection[str]) -> None:
    """Raise UndeclaredPermission unless a route says what it needs.

    `view` is the callable of the route `name`. Only the named open routes may do
    without a permission; every action of the others must name a declared one.
    """
    kind = getattr(view, "cls", None)
    if not (isinstance(kind, type) and issubclass(kind, ApiViewSet)):
        if name not in open_names:
            raise UndeclaredPermission(f"{name}: neither an ApiViewSet nor open.")
        return
    for action in dict.fromkeys(view.actions.values()):
        permission = kind.permission_by_action.get(action)
        if permission is None or not is_declared(permission):
            raise UndeclaredPermission(f"{kind.__name__}.{action}: {permission}")


def etag_of(row: Any) -> str:
    """The validator of a row that has one, else nothing."""
    return str(getattr(row, "etag", ""))


def require_match(request: Request, row: Any) -> None:
    """Honour If-Match where it was sent; raises PreconditionFailed."""
    wanted = request.headers.get("If-Match")
    if wanted and wanted.strip() not in {"*", etag_of(row)}:
        raise PreconditionFailed


def _wanted_fields(request: Request) -> set[str] | None:
    text = request.query_params.get("fields", "")
    if not text:
        return None
    names = {name.strip() for name in text.split(",") if name.strip()}
    if len(names) > FIELDS_MAX:
        raise ParseError(_("Too many fields."))
    return names


def _narrow(serializer: Any, wanted: set[str]) -> None:
    target = getattr(serializer, "child", serializer)
    unknown = wanted - set(target.fields)
    if unknown:
        raise ParseError(_("There is no field %s.") % ", ".join(sorted(unknown)))
    for name in set(target.fields) - wanted:
        target.fields.pop(name)
