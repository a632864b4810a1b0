"""Mapped classes as entities: what their columns, their computed attributes and their relationships are on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Dialect, FromClause, Table, inspect, literal_column
from sqlalchemy.ext.hybrid import HybridExtensionType
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.sql import visitors

from .catalog import Catalog, foreign_keys_of
from .entity import Computed, Entity, mapped_table
from .exposure import EVERYTHING, Exposure
from .relationships import Cardinality, Junction, Relationship
from .types import wire_type


def model_catalog(
    models: Iterable[type[Any]], dialect: Dialect, exposures: Mapping[type[Any], Exposure] | None = None
) -> Catalog:
    """The catalog of mapped classes, with the tables of their ``MetaData`` that lie between them.

    Args:
        models: the classes.
        dialect: the database's.
        exposures: what clients may know of them, where that is not everything.

    Raises:
        TypeError: one of them is no mapped class, or has no table with a primary key.
    """
    known = exposures or {}
    entities = [model_entity(model, dialect, known.get(model, EVERYTHING)) for model in models]
    by_table = {entity.table: entity for entity in entities}
    metadatas = dict.fromkeys(table.metadata for table in by_table)
    keys = foreign_keys_of(table for metadata in metadatas for table in metadata.tables.values())
    named = [way for entity in entities for way in named_relationships(entity, by_table)]
    return Catalog(entities, keys, named=named)


def neighbours(model: type[Any], dialect: Dialect, exposure: Exposure = EVERYTHING) -> Catalog:
    """The catalog of a mapped class and of those that may be embedded in it, whether they are served or not.

    Raises:
        TypeError: it is no mapped class, or has no table with a primary key.
    """
    entity = model_entity(model, dialect, exposure)
    own = entity.table
    keys = list(foreign_keys_of(own.metadata.tables.values()))
    referring = {key.table for key in keys if own in (key.table, key.referred)}
    near = {own, *(key.referred for key in keys if key.table in referring), *referring}
    by_table = {own: entity}
    for mapper in inspect(model).registry.mappers:
        table: Any = mapper.local_table
        if table in near and table not in by_table and table.primary_key.columns:
            by_table[table] = Entity(table, dialect, schema=table.schema or "public", model=mapper.class_)
    return Catalog(by_table.values(), keys, named=named_relationships(entity, by_table))


def model_entity(model: type[Any], dialect: Dialect, exposure: Exposure = EVERYTHING) -> Entity:
    """A mapped class as an entity, of which clients may know so much.

    Raises:
        TypeError: it is no mapped class, or has no table with a primary key.
    """
    table = mapped_table(model)
    schema = table.schema or "public"
    computed = computed_columns(model, dialect)
    return Entity(table, dialect, schema=schema, computed=computed, model=model, exposure=exposure)


def computed_columns(model: type[Any], dialect: Dialect) -> Iterator[Computed]:
    """The ``column_property``\\ s and ``hybrid_property``\\ s of a model that are SQL expressions."""
    mapper: Mapper[Any] = inspect(model)
    for prop in mapper.column_attrs:
        element = prop.columns[0]
        if not (isinstance(element, Column) and element.table is not None):
            yield computed_column(prop.key, element, mapper, dialect, prop.doc)
    for name, descriptor in mapper.all_orm_descriptors.items():
        if descriptor.extension_type is HybridExtensionType.HYBRID_PROPERTY and not is_part(mapper, str(name)):
            attribute: Any = getattr(model, name)
            expression = attribute.__clause_element__() if hasattr(attribute, "__clause_element__") else attribute
            if isinstance(expression, ColumnElement):
                yield computed_column(str(name), expression, mapper, dialect)


def is_part(mapper: Mapper[Any], name: str) -> bool:
    """Whether a name is that of a function with which another hybrid says its expression: ``@name.inplace.expression``
    leaves the hybrid under both."""
    descriptors: Any = mapper.all_orm_descriptors
    own = getattr(descriptors[name], "__name__", name)
    return name.startswith("_") and own != name and descriptors.get(own) is descriptors[name]


def computed_column(
    name: str, element: Any, mapper: Mapper[Any], dialect: Dialect, description: str | None = None
) -> Computed:
    plain = with_constants(element._deannotate(), dialect)
    return Computed(name, wire_type(plain.type, dialect), adapted(plain, mapper.local_table), description)


def adapted(element: ColumnElement[Any], table: FromClause) -> Callable[[Any], ColumnElement[Any]]:
    """The expression over other rows than the table's own."""

    def over(rows: Any) -> ColumnElement[Any]:
        def to_column(part: Any, **_: Any) -> Any:
            return rows.c[part.key] if isinstance(part, Column) and part.table is table else None

        return replaced(element, to_column)

    return over


def replaced(element: Any, replace: Callable[..., Any]) -> ColumnElement[Any]:
    expression: ColumnElement[Any] = visitors.replacement_traverse(element, {}, replace)
    return expression


def with_constants(element: Any, dialect: Dialect) -> ColumnElement[Any]:
    """An expression of the model's with its values in its text: bind parameters are a request's alone."""

    def to_text(part: Any, **_: Any) -> Any:
        if not isinstance(part, BindParameter):
            return None
        compiled = part.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return literal_column(str(compiled), part.type)

    return replaced(element, to_text)


def named_relationships(source: Entity, by_table: dict[Table, Entity]) -> Iterator[Relationship]:
    """The ``relationship()``\\ s of a model that are equalities of columns, by the names they have there."""
    assert source.model is not None
    mapper: Mapper[Any] = inspect(source.model)
    for prop in mapper.relationships:
        local: Any = prop.mapper.local_table
        target = by_table.get(local)
        if target is None or target.name == prop.key or not is_equality(prop):
            continue
        cardinality = cardinality_of(prop)
        if prop.secondary is None:
            pairs = tuple((name_of(here), name_of(there)) for here, there in prop.local_remote_pairs or ())
            yield Relationship(source, target, cardinality, prop.key, pairs, is_named=True)
        elif isinstance(prop.secondary, Table):
            here = tuple((name_of(column), name_of(other)) for column, other in prop.synchronize_pairs)
            there = tuple((name_of(other), name_of(column)) for column, other in prop.secondary_synchronize_pairs or ())
            junction = Junction(prop.secondary, prop.key, prop.key, there)
            yield Relationship(source, target, cardinality, prop.key, here, junction, is_named=True)


def cardinality_of(prop: RelationshipProperty[Any]) -> Cardinality:
    if prop.direction.name == "MANYTOONE":
        return "many-to-one"
    if prop.direction.name == "MANYTOMANY":
        return "many-to-many"
    return "one-to-many" if prop.uselist else "one-to-one"


def is_equality(prop: RelationshipProperty[Any]) -> bool:
    """Whether a relationship's condition says nothing but that columns are equal."""
    joins = [join for join in (prop.primaryjoin, prop.secondaryjoin) if join is not None]
    pairs = len(prop.synchronize_pairs) + len(prop.secondary_synchronize_pairs or ())
    columns = sum(1 for join in joins for element in visitors.iterate(join) if isinstance(element, Column))
    return pairs > 0 and columns == 2 * pairs


def name_of(column: Any) -> str:
    return str(column.name)
