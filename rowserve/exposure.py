"""What a resource says it shows and takes, looked up in its model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, get_args

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel
from pydantic.fields import FieldInfo
from sqlalchemy import inspect

from .sql.catalog import Catalog, name_and_hint
from .sql.entity import Entity
from .sql.exposure import EVERYTHING, Exposure, RowModel
from .sql.relationships import Relationship, meant

ALL = "*"


def exposure_of(
    entity: Entity,
    catalog: Catalog,
    *,
    hidden: Collection[str],
    readonly: Collection[str],
    embed: Collection[str],
    create: type[BaseModel] | None,
    update: type[BaseModel] | None,
    read: type[BaseModel] | None,
) -> Exposure:
    """What clients may know of an entity; see :class:`rowserve.Resource` for the arguments.

    Raises:
        TypeError: one of them is no set of names, or no Pydantic model.
        ValueError: a name is that of nothing, or contradicts another; the message says which there are.
    """
    if not (hidden or readonly or create or update or read) and embed == ALL:
        return EVERYTHING
    names = Names(entity, catalog.ways(entity), frozenset())
    out_of_sight = frozenset(names.columns("hidden", hidden))
    names.check_key("hidden", out_of_sight)
    fixed = frozenset(names.columns("readonly", readonly))
    embedded = None if embed == ALL else frozenset(names.relationships("embed", embed))
    shown = None
    if read is not None:
        ways = names.ways if embedded is None else names.called(embedded)
        shown = Names(entity, ways, out_of_sight).read_model(read)
        known = (*entity.columns, *entity.computed)
        out_of_sight |= set(known).difference(shown.given.values())
        names.check_key("read", out_of_sight)
    taking = Names(entity, names.ways, frozenset(hidden) | fixed)
    return Exposure(
        hidden=out_of_sight,
        readonly=fixed,
        embed=embedded,
        create=None if create is None else taking.input_model("create", create),
        update=None if update is None else taking.input_model("update", update),
        read=shown,
    )


def check_names(entity: Entity, catalog: Catalog, **given: Collection[str]) -> None:
    """Finds out whether there are relationships of some names. Raises as :func:`exposure_of` does."""
    for kind, names in given.items():
        list(Names(entity, catalog.ways(entity), frozenset()).relationships(kind, names))


class Names:
    """What names may stand for.

    Args:
        entity: whose columns.
        ways: its relationships.
        withheld: columns that a model may not have.
    """

    def __init__(self, entity: Entity, ways: Sequence[Relationship], withheld: frozenset[str]) -> None:
        self.entity = entity
        self.ways = ways
        self.withheld = withheld

    def columns(self, kind: str, names: Collection[str]) -> Iterator[str]:
        known = (*self.entity.columns, *self.entity.computed)
        for name in checked_set(kind, names):
            if name not in known:
                raise ValueError(f"{kind}: {self.entity.name} has no column {name!r}; it has {', '.join(known)}")
            yield name

    def relationships(self, kind: str, names: Collection[str]) -> Iterator[str]:
        for name in checked_set(kind, names):
            if not meant(self.ways, *name_and_hint(name)):
                raise ValueError(f"{kind}: {self.entity.name} has no relationship {name!r}; {self._embeddable()}")
            yield name

    def called(self, names: Iterable[str]) -> list[Relationship]:
        """The relationships that some names may mean."""
        return [way for name in names for way in meant(self.ways, *name_and_hint(name))]

    def check_key(self, kind: str, hidden: Collection[str]) -> None:
        """Refuses to hide what rows are told apart by."""
        for item in self.entity.primary_key:
            if item.name in hidden:
                what = "has no field for" if kind == "read" else "has"
                raise ValueError(
                    f"{kind} {what} {item.name!r}, the primary key of {self.entity.name}: "
                    "clients tell rows apart by it, so it has to be shown"
                )

    def read_model(self, model: type[BaseModel]) -> RowModel:
        """A model of rows that are answered with: each field a column, a computed column or a relationship."""
        checked_model("read", model)
        given: dict[str, str] = {}
        embeds: dict[str, str] = {}
        texts: set[str] = set()
        for name, field in model.model_fields.items():
            key = keys_of(name, field)[0]
            column = self._column("read", name, field)
            if column is not None:
                given[key] = column
                item = self.entity.columns.get(column) or self.entity.computed[column]
                if item.wire.name == "numeric" and Decimal in (field.annotation, *get_args(field.annotation)):
                    texts.add(key)
                continue
            related = next((some for some in names_of(name, field) if meant(self.ways, some, None)), None)
            if related is None:
                raise self._nothing("read", model, name, f"; {self._embeddable()}")
            if len(meant(self.ways, related, None)) > 1:
                raise ValueError(f"read: {model.__name__}.{name} may be several relationships of {self.entity.name}")
            embeds[key] = related
        return RowModel(model, given, {}, embeds, frozenset(texts))

    def input_model(self, kind: str, model: type[BaseModel]) -> RowModel:
        """A model of rows that are taken: each field a column, unless it is left out of what the model dumps."""
        checked_model(kind, model)
        if model.model_config.get("extra") == "allow":
            raise ValueError(f"{kind}: {model.__name__} allows any key, but a key that is no column cannot be stored")
        given: dict[str, str] = {}
        dumped: dict[str, str] = {}
        for name, field in model.model_fields.items():
            column = self._column(kind, name, field)
            if field.exclude:
                given.update(dict.fromkeys(keys_of(name, field), ""))
                continue
            if column is None or column not in self.entity.columns:
                raise self._nothing(kind, model, name, ". Field(exclude=True) is for what only validators look at")
            given.update(dict.fromkeys(keys_of(name, field), column))
            dumped[name] = column
        for name, computed in model.model_computed_fields.items():
            if kind == "update":
                raise ValueError(
                    f"update: {model.__name__}.{name} is computed, of fields that an update need not have: "
                    "let a validator change the field itself"
                )
            column = next((some for some in (computed.alias, name) if some in self.entity.columns), None)
            if column is None:
                raise self._nothing(kind, model, name, "")
            dumped[name] = column
        return RowModel(model, given, dumped)

    def _column(self, kind: str, name: str, field: FieldInfo) -> str | None:
        """The column that a field is about, by its alias or its name, or by that of the mapped attribute."""
        entity = self.entity
        found = next(
            (some for some in names_of(name, field) if some in entity.columns or some in entity.computed), None
        )
        if found is None and entity.model is not None:
            attribute = inspect(entity.model).column_attrs.get(name)
            stored = None if attribute is None else str(attribute.columns[0].name)
            found = stored if stored in entity.columns else None
        if found in self.withheld and not (kind != "read" and field.exclude):
            raise ValueError(f"{kind} has a field for {found!r}, which is hidden or, to be written, readonly")
        return found

    def _nothing(self, kind: str, model: type[BaseModel], name: str, more: str) -> ValueError:
        known = ", ".join((*self.entity.columns, *self.entity.computed))
        return ValueError(
            f"{kind}: {model.__name__}.{name} is no column of {self.entity.name}; its columns are {known}{more}"
        )

    def _embeddable(self) -> str:
        names = dict.fromkeys(way.name if way.is_named else way.target.name for way in self.ways)
        return f"its relationships are {', '.join(names) or 'none'}"


def names_of(name: str, field: FieldInfo) -> list[str]:
    """What a field may be called after."""
    return [
        *(some for some in (field.serialization_alias, field.alias) if some is not None),
        *keys_of(name, field),
        name,
    ]


def keys_of(name: str, field: FieldInfo) -> list[str]:
    """The keys that a field is read from."""
    alias: Any = field.validation_alias or field.alias or name
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [str(some.path[0]) if isinstance(some, AliasPath) else some for some in choices]


def checked_set(kind: str, names: Collection[str]) -> Collection[str]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{kind} is {names!r}: it is a set of names, such as {{'name'}}")
    return names


def checked_model(kind: str, model: Any) -> None:
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or issubclass(model, RootModel):
        raise TypeError(f"{kind} is {model!r}: it is a Pydantic model with fields")
