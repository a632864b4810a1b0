"""Async database queries in FastAPI that stay fast when everyone arrives at once."""

from .backends import Roles as Roles
from .context import Context as Context
from .database import Database as Database
from .database import ReadSession as ReadSession
from .database import Session as Session
from .errors import ApiError as ApiError
from .functions import Functions as Functions
from .resource import Resource as Resource
