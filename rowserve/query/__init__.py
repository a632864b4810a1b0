"""The dialect: what a client sends as text, read into frozen dataclasses.

Query strings become a ``Query`` and its values, ``Range`` headers narrow them, ``Prefer`` headers become
``Preferences``, ``Accept`` headers a ``MediaType``. Nothing here knows a model or a database: everything that is wrong
with a request as a text is found before anything is asked for, and costs no connection.
"""

from .cache import ParseCache as ParseCache
from .filters import OPERATORS as OPERATORS
from .keyset import came_by_link as came_by_link
from .keyset import has_keyset as has_keyset
from .keyset import next_offset as next_offset
from .keyset import next_page as next_page
from .keyset import previous_offset as previous_offset
from .keyset import previous_page as previous_page
from .media import JSON as JSON
from .media import MediaType as MediaType
from .media import negotiate as negotiate
from .media import negotiate_root as negotiate_root
from .media import wants_problem_json as wants_problem_json
from .model import Call as Call
from .model import Column as Column
from .model import Comparison as Comparison
from .model import Condition as Condition
from .model import Embed as Embed
from .model import Field as Field
from .model import Is as Is
from .model import JsonStep as JsonStep
from .model import Logic as Logic
from .model import Modifiers as Modifiers
from .model import Order as Order
from .model import Parsed as Parsed
from .model import Query as Query
from .model import SelectItem as SelectItem
from .model import Star as Star
from .model import Value as Value
from .page_text import PageText as PageText
from .parser import embeds_by_name as embeds_by_name
from .parser import parse as parse
from .parser import parse_call as parse_call
from .preferences import Preferences as Preferences
from .preferences import invalid_preferences as invalid_preferences
from .preferences import parse_preferences as parse_preferences
from .ranges import read_range as read_range
from .ranges import with_range as with_range
from .unparse import spelled as spelled
from .unparse import unparse as unparse
from .unparse import unparse_call as unparse_call
