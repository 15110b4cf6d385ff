"""Fields and tags that the operator defines, and their values on customers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.identity.enums import FieldKind, TagColour
from apps.identity.errors import SlugTaken
from apps.identity.models import CustomField, Tag
from apps.identity.rules.fields import ValueRefused, stored_value
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput
from dotmac.core.refs import SubjectRef

FIELDS_MAX = 50
CHOICES_MAX = 50
TAGS_MAX = 200
NAME_CHARACTERS_MAX = {"field": 80, "tag": 40}
_FIELD_SLUG = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
_TAG_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
_FIELD_CHANGES = frozenset({"name", "choices", "required", "in_list", "in_portal"})


@transaction.atomic
def define_field(
    *, slug: str, name: str, kind: str, actor: Actor, now: datetime, **facts: Any
) -> CustomField:
    """A new field of customers. Facts: choices, required, in_list, in_portal."""
    if not _FIELD_SLUG.match(slug):
        raise InvalidInput("Small letters, digits and _, a letter first.", field="slug")
    if kind not in FieldKind.values:
        raise InvalidInput("There is no such kind.", field="kind")
    if CustomField.objects.count() >= FIELDS_MAX:
        raise InvalidInput(f"At most {FIELDS_MAX} fields.", field="slug")
    clean = _field_values({"name": name, "choices": [], **facts}, kind)

    with refusing(identity_customfield_slug_key=lambda: SlugTaken(field="slug")):
        field = CustomField.objects.create(
            slug=slug, kind=kind, created_at=now, updated_at=now, **clean
        )
    _record("define_field", "field", field, actor, now, of_kind=kind)
    return field


@transaction.atomic
def change_field(
    *, field_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> CustomField:
    """Change name, choices, and where it is shown; values stay as they are."""
    field = CustomField.objects.select_for_update(no_key=True).get(pk=field_id)
    clean = _field_values(changes, field.kind)
    changed = {k: v for k, v in clean.items() if getattr(field, k) != v}
    if not changed:
        return field

    for key, value in changed.items():
        setattr(field, key, value)
    field.store(*changed, now=now)
    _record("change_field", "field", field, actor, now, **changed)
    return field


@transaction.atomic
def archive_field(
    *, field_id: int, archived: bool = True, actor: Actor, now: datetime
) -> CustomField:
    """Take the field away, or bring it back with all values. Repeatable."""
    field = CustomField.objects.select_for_update(no_key=True).get(pk=field_id)
    if archived == (field.archived_at is not None):
        return field

    field.archived_at = now if archived else None
    field.store("archived_at", now=now)
    _record("archive_field", "field", field, actor, now, archived=archived)
    return field


@transaction.atomic
def make_tag(*, slug: str, name: str, colour: str, actor: Actor, now: datetime) -> Tag:
    """A new tag."""
    if not _TAG_SLUG.match(slug):
        raise InvalidInput("Small letters, digits and hyphens.", field="slug")
    clean = _tag_values({"name": name, "colour": colour})
    if Tag.objects.count() >= TAGS_MAX:
        raise InvalidInput(f"At most {TAGS_MAX} tags.", field="slug")

    with refusing(identity_tag_slug_key=lambda: SlugTaken(field="slug")):
        tag = Tag.objects.create(slug=slug, created_at=now, updated_at=now, **clean)
    _record("make_tag", "tag", tag, actor, now, slug=slug)
    return tag


@transaction.atomic
def change_tag(
    *, tag_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> Tag:
    """Another name or colour; the slug stays."""
    tag = Tag.objects.select_for_update(no_key=True).get(pk=tag_id)
    changed = {k: v for k, v in _tag_values(changes).items() if getattr(tag, k) != v}
    if not changed:
        return tag

    for key, value in changed.items():
        setattr(tag, key, value)
    tag.store(*changed, now=now)
    _record("change_tag", "tag", tag, actor, now, **changed)
    return tag


@transaction.atomic
def remove_tag(*, tag_id: int, actor: Actor, now: datetime) -> None:
    """Take the tag away, also from the customers that have it."""
    tag = Tag.objects.filter(pk=tag_id).first()
    if tag is None:
        return
    _record("remove_tag", "tag", tag, actor, now, slug=tag.slug)
    tag.delete()


def merged_values(
    held: Mapping[str, Any], given: Mapping[str, Any], *, whole: bool
) -> dict[str, Any]:
    """What a customer holds once the given values are taken over.

    None or an empty text takes a value away. Refused: an unknown or archived
    field, a value that is none, and an emptied required field; `whole`, as for a
    new customer, asks for every required field.
    """
    fields = {row.slug: row for row in CustomField.objects.filter(archived_at=None)}
    merged = dict(held)
    for slug, value in given.items():
        field = fields.get(slug)
        if field is None:
            raise InvalidInput("There is no such field.", field=f"custom.{slug}"[:80])
        if value is None or (isinstance(value, str) and not value.strip()):
            merged.pop(slug, None)
            continue
        try:
            merged[slug] = stored_value(field.kind, field.choices, value)
        except ValueRefused as error:
            raise InvalidInput(str(error), field=f"custom.{slug}") from error
    for slug, field in fields.items():
        if field.required and slug not in merged and (whole or slug in given):
            raise InvalidInput(f"{field.name} is required.", field=f"custom.{slug}")
    return merged


def tags_named(slugs: Iterable[str], *, field: str = "tags") -> list[Tag]:
    """The tags of these slugs; refused when one is unknown."""
    wanted = set(slugs)
    found = list(Tag.objects.filter(slug__in=wanted).order_by("name", "pk"))
    if unknown := wanted - {tag.slug for tag in found}:
        raise InvalidInput(f"There is no tag {min(unknown)!r:.50}.", field=field)
    return found


def _field_values(values: Mapping[str, Any], kind: str) -> dict[str, Any]:
    if unknown := set(values) - _FIELD_CHANGES:
        raise InvalidInput("This cannot be changed here.", field=min(unknown))
    clean = dict(values)
    if "name" in clean:
        clean["name"] = _name("field", clean["name"])
    if "choices" in clean:
        clean["choices"] = _choices(clean["choices"], kind)
    return clean


def _choices(given: Sequence[str], kind: str) -> list[str]:
    words = [" ".join(str(word).split()) for word in given]
    words = list(dict.fromkeys(word for word in words if word))
    if kind != FieldKind.CHOICE:
        if words:
            raise InvalidInput("Only a choice has choices.", field="choices")
        return []
    if not 1 <= len(words) <= CHOICES_MAX or max(map(len, words)) > 80:
        raise InvalidInput(
            f"Between 1 and {CHOICES_MAX} choices of at most 80 characters.",
            field="choices",
        )
    return words


def _tag_values(values: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(values) - {"name", "colour"}:
        raise InvalidInput("This cannot be changed here.", field=min(unknown))
    clean = dict(values)
    if "name" in clean:
        clean["name"] = _name("tag", clean["name"])
    if "colour" in clean and clean["colour"] not in TagColour.values:
        raise InvalidInput("There is no such colour.", field="colour")
    return clean


def _name(kind: str, name: str) -> str:
    said = " ".join(name.split())
    if not 1 <= len(said) <= NAME_CHARACTERS_MAX[kind]:
        raise InvalidInput(
            f"Between 1 and {NAME_CHARACTERS_MAX[kind]} characters.", field="name"
        )
    return said


def _record(
    verb: str,
    noun: str,
    row: CustomField | Tag,
    actor: Actor,
    now: datetime,
    **facts: Any,
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", noun, row.pk, row.slug),
        actor=actor,
        now=now,
        changes=facts,
    )
