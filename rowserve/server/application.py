"""What a worker serves: the target of ``rowserve serve``, behind the front door."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from sqlalchemy import inspect
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp

from .. import users
from ..authentication import Authenticator
from ..backends import Roles
from ..database import Database
from ..errors import ApiError
from ..functions import Functions
from ..http import Limits
from ..http.profiles import unknown_table
from ..http.responses import Answer, error_answer
from ..reflection import reflect
from ..resource import Resource
from .cors import CrossOrigin
from .credentials import Credentials
from .front import FrontDoor
from .gateway import Gateway
from .guard import Guard

VARIABLE = "ROWSERVE_SERVE"
"""The environment variable by which the command tells its workers what to serve."""


class TargetError(Exception):
    """The target cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What ``rowserve serve`` was asked for.

    Args:
        target: ``module:app``, a file of models, the URL of a database, or None for the users app.
        prefix: a path before all resources.
        schemas: of a database, those that are served, the default one first.
        extra_search_path: of a database, schemas whose functions and types may be named without their schema.
        cors_origins: whose pages may use the API, besides this machine's own.
        limits: what resources are told that is not their default; see :class:`rowserve.http.Limits`.
        credentials: what those who use the API have to show.
        roles: of a database, how it is told who asks; see :class:`rowserve.Roles`.
        development: whether guard rails are put up; see :mod:`rowserve.development`.
    """

    target: str | None = None
    prefix: str = ""
    schemas: tuple[str, ...] = ()
    extra_search_path: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    roles: dict[str, Any] = field(default_factory=dict)
    development: bool = False

    @property
    def makes_resources(self) -> bool:
        """Whether the resources are rowserve's, rather than those of an application."""
        return self.target is None or self.is_database or self.target.endswith(".py")

    @property
    def is_database(self) -> bool:
        """Whether the target is the URL of a database."""
        return self.target is not None and "://" in self.target

    def save(self) -> None:
        """Leaves the options to workers."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def load(cls) -> Options:
        """The options of the command; without it, those of the users app."""
        given = json.loads(os.environ.get(VARIABLE, "{}"))
        return cls(**{**given, "credentials": Credentials(**given.get("credentials", {}))})


def normal_prefix(prefix: str) -> str:
    """The prefix with a slash in front of it and none behind; empty for none."""
    return "/" + prefix.strip("/") if prefix.strip("/") else ""


def create() -> ASGIApp:
    """The application of a worker, by the options in its environment."""
    options = Options.load()
    app = application(options)
    if options.development:
        from ..development import GuardRails

        return GuardRails(app)
    return app


def application(options: Options) -> ASGIApp:
    """The application for some options.

    Raises:
        TargetError: there is no such module, application or model.
        ValueError: the credentials cannot be checked; the message says why.
    """
    if not options.makes_resources:
        return front_of(options)
    authenticator = options.credentials.authenticator()
    front = front_of(options, authenticator)
    # Pages of other origins get to see why they are refused, and ask for permission without a token.
    return CrossOrigin(front if authenticator is None else Guard(front, authenticator), options.cors_origins)


def front_of(options: Options, authenticator: Authenticator | None = None) -> FrontDoor:
    """The front door of what is served. Raises as ``application`` does."""
    if options.is_database:
        return served_database(options, authenticator)
    if options.target is None:
        return served_models([users.User], [], options, authenticator)
    if options.makes_resources:
        return served_models(*contents_of(Path(options.target)), options, authenticator)
    return FrontDoor(imported(options.target))


def served_models(
    models: Sequence[Any],
    functions: Sequence[Functions],
    options: Options,
    authenticator: Authenticator | None = None,
) -> FrontDoor:
    """An application that serves some models and functions, and makes the models' tables when it starts."""
    database = Database()
    metadatas = list(dict.fromkeys(model.metadata for model in models))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with database:
            for metadata in metadatas:
                await database.create_tables(metadata)
            yield

    # So that OpenAPI says it; requests for resources are asked at the door, and do not come by here.
    dependencies = [] if authenticator is None else [Depends(authenticator)]
    app = FastAPI(title="rowserve", lifespan=lifespan, redirect_slashes=False, dependencies=dependencies)
    names = [model.__table__.name for model in models]

    async def missing(request: Request, error: Exception) -> Answer:
        before, _, name = request.scope["path"].removesuffix("/").rpartition("/")
        if isinstance(error, HTTPException) and error.status_code == 404 and before == options.prefix and name:
            error = unknown_table("public", name, names)
        return await answered(request, error)

    app.add_exception_handler(HTTPException, missing)
    resources: list[Resource[Any]] = []
    for model in models:
        resource = Resource(model, prefix=f"{options.prefix}/{model.__table__.name}", **options.limits)
        app.include_router(resource)
        resources.append(resource)
    for router in functions:
        router.limits = replace(router.limits, **options.limits)
        app.include_router(router, prefix=options.prefix)
    return FrontDoor(app, {resource.prefix: resource for resource in resources})


def served_database(options: Options, authenticator: Authenticator | None = None) -> FrontDoor:
    """An application that serves an existing database, as it is when the application starts."""
    schemas = options.schemas or ("public",)
    roles = Roles(**options.roles) if options.roles else None
    database = Database(options.target, search_path=(*schemas, *options.extra_search_path), roles=roles)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with database:
            reflected = await reflect(database.backend, schemas)
            limits = Limits(**options.limits)
            gateway = Gateway(
                reflected, database.backend, limits, options.prefix, options.extra_search_path, authenticator
            )
            front.gateway = gateway
            front.resources = gateway.resources
            yield

    app = FastAPI(title="rowserve", lifespan=lifespan, redirect_slashes=False)
    app.add_exception_handler(HTTPException, answered)
    front = FrontDoor(app)
    return front


async def answered(request: Request, error: Exception) -> Answer:
    """The answer to an error on the way to a resource, in the shape that all errors have."""
    assert isinstance(error, HTTPException)
    if not isinstance(error, ApiError):
        error = ApiError(error.status_code, "PGRST125", "Invalid path specified in request URL", headers=error.headers)
    return error_answer(error)


def imported(target: str) -> ASGIApp:
    """The application that ``module:attribute`` names."""
    name, colon, attribute = target.partition(":")
    if not colon:
        raise TargetError(f"{target!r} is no target: write module:app, or models.py")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise TargetError(f"There is no module {name} in {os.getcwd()}") from None
        raise
    app: Any = module
    for part in (attribute or "app").split("."):
        app = getattr(app, part, None)
    if app is None:
        raise TargetError(f"The module {name} has no {attribute or 'app'}")
    if not callable(app):
        raise TargetError(f"{target} is not an application: it is {app!r}")
    asgi: ASGIApp = app
    return asgi


def contents_of(path: Path) -> tuple[list[Any], list[Functions]]:
    """The mapped classes of a file, in the order of their names, and its functions."""
    if not path.is_file():
        raise TargetError(f"There is no file {path}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    models = [
        value
        for _, value in sorted(vars(module).items())
        if isinstance(value, type) and inspect(value, raiseerr=False) is not None
    ]
    if not models:
        raise TargetError(f"{path} has no mapped class: a model derives from DeclarativeBase and has a __tablename__")
    return models, [value for value in vars(module).values() if isinstance(value, Functions)]
