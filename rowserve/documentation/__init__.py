"""What OpenAPI says: the operations of a resource, typed and with every parameter described, and a whole database's."""

from .document import Group as Group
from .document import document as document
from .operations import QUERY_PATH as QUERY_PATH
from .operations import Documentation as Documentation
from .operations import Operation as Operation
from .parameters import Parameter as Parameter
from .parameters import profile_parameter as profile_parameter
from .parameters import query_parameter as query_parameter
from .parameters import select_parameter as select_parameter
from .responses import ERRORS as ERRORS
from .responses import Error as Error
from .responses import Response as Response
from .responses import Rows as Rows
from .responses import inlined as inlined
