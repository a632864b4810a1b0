"""What an application does around the writes of a resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from ..context import Context as Asking

if TYPE_CHECKING:
    from .nested import Nested

Row: TypeAlias = dict[str, Any]
Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncSession]]
Hook: TypeAlias = Callable[[Asking, list[Row]], Awaitable[object]]


@dataclass(frozen=True, slots=True, eq=False)
class Hooks:
    """The hooks of a resource, None for those it does not have; see :class:`rowserve.Resource` for what they are given.

    Args:
        begin: begins a transaction, which is committed at the end of the block.
        nested: what may be inserted along with a row, by the name that it has there.
        is_replayable: whether all of it may be done again where another transaction was in the way.
    """

    begin: Begin
    before_insert: Hook | None = None
    after_insert: Hook | None = None
    before_update: Callable[[Asking, list[Row], Row], Awaitable[object]] | None = None
    after_update: Hook | None = None
    before_delete: Hook | None = None
    after_delete: Hook | None = None
    nested: Mapping[str, Nested] = field(default_factory=dict)
    is_replayable: bool = True

    @property
    def any(self) -> bool:
        """Whether there are some."""
        before = (self.before_insert, self.before_update, self.before_delete)
        after = (self.after_insert, self.after_update, self.after_delete)
        return bool(self.nested) or any(hook is not None for hook in (*before, *after))
