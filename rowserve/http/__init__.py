"""A request to a resource, from its ASGI scope to its answer: what it asks for, what is run, what goes back."""

from .calls import CallHandler as CallHandler
from .guarded import Guarded as Guarded
from .guarded import Rules as Rules
from .handler import QUERY_KEY as QUERY_KEY
from .handler import AnyAnswer as AnyAnswer
from .handler import Handler as Handler
from .handler import Limits as Limits
from .hooks import Hooks as Hooks
from .nested import Nested as Nested
from .transactions import TransactedInserts as TransactedInserts
