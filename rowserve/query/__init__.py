"""The dialect: what a client sends as text, read into frozen dataclasses.

Query strings become a ``Query`` and its values, ``Prefer`` headers become ``Preferences``, ``Accept`` headers a
``MediaType``. Nothing here knows a model or a database: everything that is wrong with a request as a text is found
before anything is asked for, and costs no connection.
"""

from .cache import ParseCache as ParseCache
from .keyset import next_page as next_page
from .media import MediaType as MediaType
from .media import negotiate as negotiate
from .media import wants_problem_json as wants_problem_json
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
from .parser import embeds_by_name as embeds_by_name
from .parser import parse as parse
from .preferences import Preferences as Preferences
from .preferences import parse_preferences as parse_preferences
from .unparse import unparse as unparse
