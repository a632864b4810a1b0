"""Values that are known when somebody asks, written into SQL before anybody has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.sql.operators import ColumnOperators
from sqlalchemy.types import NullType

Step = tuple[str, Any]
"""An attribute (``.``) or an item (``[``), and its name."""


class Claim:
    """A value of the context, such as ``ctx.user.id``: stands in an expression for what it will be.

    It is compared with columns and nothing else. What Python would have to decide by it is an error, for it is decided
    once, for everybody.
    """

    __slots__ = ("_steps",)

    def __init__(self, steps: tuple[Step, ...] = ()) -> None:
        self._steps = steps

    def __getattr__(self, name: str) -> Claim:
        # SQLAlchemy asks what it is for this.
        if name.startswith("_") or name == "is_clause_element":
            raise AttributeError(name)
        return Claim((*self._steps, (".", name)))

    def __getitem__(self, key: Any) -> Claim:
        return Claim((*self._steps, ("[", key)))

    def __clause_element__(self) -> ColumnElement[Any]:
        return ClaimParameter(self._steps)

    def __repr__(self) -> str:
        return "ctx" + "".join(f".{key}" if step == "." else f"[{key!r}]" for step, key in self._steps)

    def _undecided(self, *_: object) -> NoReturn:
        raise TypeError(
            f"{self!r} is not known when a Where is made, which is once, for everybody: compare it with a column, or "
            "decide by it in When(lambda ctx: …)"
        )

    __bool__ = __iter__ = __len__ = __contains__ = __int__ = __index__ = __float__ = __str__ = __hash__ = _undecided
    __call__ = __format__ = _undecided

    def _compared(self, other: object) -> Any:
        if isinstance(other, ColumnOperators) or hasattr(other, "__clause_element__"):
            return NotImplemented  # the column's own operator answers
        return self._undecided()

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compared
    __add__ = __sub__ = __mul__ = _compared


class ClaimParameter(BindParameter[Any]):
    """The bind parameter of a claim."""

    inherit_cache = False

    def __init__(self, steps: tuple[Step, ...]) -> None:
        super().__init__(None, None, type_=NullType(), unique=True, required=False)
        self.steps = steps


def claimed(context: Any, steps: tuple[Step, ...]) -> Any:
    """What a claim is; None where there is no such thing: SQL then grants nothing."""
    value = context
    for step, key in steps:
        if value is None:
            return None
        if step == ".":
            value = getattr(value, key, None)
        elif isinstance(value, Mapping):
            value = value.get(key)
        else:
            return None
    return value
