"""How a resource is put into an application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from starlette.routing import Match
from starlette.types import Scope

from rowserve import Database, Resource
from rowserve.resource import ResourceRoute
from rowserve.users import Base, User
from tests.helpers import application, client_of, names

pytestmark = pytest.mark.anyio


class People(Resource[User]):
    """Everybody."""

    prefix = "/people"
    max_rows = 2


def signed_in(authorization: Annotated[str, Header()] = "") -> None:
    if authorization != "Bearer secret":
        raise HTTPException(401, "Who are you?", headers={"WWW-Authenticate": "Bearer"})


async def test_a_subclass_says_where_and_how(database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, People())) as client:
        await client.post("/people", json=[{"name": letter} for letter in "abc"])

        first = await client.get("/people")
        assert names(first) == ["a", "b"]
        assert names(await client.get(first.links["next"]["url"])) == ["c"]
        assert (await client.get("/people/3")).json() == {"id": 3, "name": "c"}
        assert (await client.get("/users")).status_code == 404


async def test_arguments_go_before_attributes(database_url: str) -> None:
    async with client_of(application(Database(database_url), Base, People(prefix="/folk", max_rows=1))) as client:
        answer = await client.post("/folk", json=[{"name": "a"}, {"name": "b"}])
        assert answer.status_code == 201
        assert names(await client.get("/folk")) == ["a"]
    assert People.max_rows == 2


async def test_a_prefix_of_the_application_comes_before_it(database_url: str) -> None:
    app = application(Database(database_url), Base)
    app.include_router(Resource(User), prefix="/api/v1")

    async with client_of(app) as client:
        posted = await client.post("/api/v1/users", json=[{"name": "a"}, {"name": "b"}])
        assert posted.status_code == 201
        single = await client.post("/api/v1/users/", json={"name": "c"})
        assert single.headers["location"] == "/api/v1/users/3"
        first = await client.get("/api/v1/users?limit=1")
        assert first.links["next"]["url"].startswith("/api/v1/users?")
        assert names(await client.get(first.links["next"]["url"])) == ["b"]


async def test_prefixes_may_have_parameters(database_url: str) -> None:
    app = application(Database(database_url), Base, Resource(User, prefix="/of/{tenant}/users"), People())
    app.include_router(Resource(User), prefix="/tenants/{tenant}")

    async with client_of(app) as client:
        for path in ("/of/acme/users", "/tenants/acme/users"):
            posted = await client.post(path, json={"name": "a"})
            assert (posted.status_code, posted.json()["name"]) == (201, "a")
            assert posted.headers["location"] == f"{path}/{posted.json()['id']}"
            assert (await client.get(posted.headers["location"])).json() == posted.json()
            assert (await client.get(path)).json()[-1] == posted.json()
        assert (await client.get("/of/users")).status_code == 404
        assert names(await client.get("/people")) == ["a", "a"]


async def test_routes_of_its_own_may_be_anywhere(database_url: str) -> None:
    people = People()
    app = application(Database(database_url), Base, Resource(User), people)

    async def hello(request: Request) -> Response:
        return Response(request.url.path)

    async with client_of(app) as client:
        assert (await client.get("/hello")).status_code == 404
        people.add_route("/hello", hello)
        assert (await client.get("/hello")).text == "/hello"
        assert (await client.get("/people")).json() == []


async def test_what_is_not_its_own_is_not_looked_for(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """FastAPI asks the routes of every router one by one, at some microseconds each."""
    asked: list[str] = []

    class Watched(ResourceRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            asked.append(self.path)
            return super().matches(scope)

    monkeypatch.setattr("rowserve.resource.ResourceRoute", Watched)
    app = application(Database(database_url), Base, *(Resource(User, prefix=f"/users{n}") for n in range(9)))
    async with client_of(app) as client:
        assert (await client.get("/users8")).json() == []
        assert set(asked) == {"/users8"}


async def test_a_mounted_application_links_to_itself(database_url: str) -> None:
    inner = FastAPI()
    inner.include_router(Resource(User))
    app = application(Database(database_url), Base)
    app.mount("/inner", inner)

    async with client_of(app) as client:
        posted = await client.post("/inner/users", json={"name": "a"})
        assert posted.headers["location"] == "/inner/users/1"
        assert (await client.get(posted.headers["location"])).json() == {"id": 1, "name": "a"}


async def test_behind_a_proxy_links_are_as_the_client_knows_them(database_url: str) -> None:
    app = application(Database(database_url), Base, Resource(User))
    app.root_path = "/proxy"

    async with client_of(app) as client:
        posted = await client.post("/users", json={"name": "a"})
        assert posted.headers["location"] == "/proxy/users/1"


async def test_dependencies_are_solved_first_wherever_they_are_given(database_url: str) -> None:
    guard = Depends(signed_in)
    database = Database(database_url)
    app = application(database, Base, Resource(User, prefix="/own", dependencies=[guard]))
    app.include_router(Resource(User, prefix="/included"), dependencies=[guard])

    async with client_of(app) as client:
        for path in ("/own", "/included"):
            for method, url in (
                ("GET", path),
                ("GET", f"{path}/"),
                ("HEAD", path),
                ("POST", f"{path}?name=Ada"),
                ("GET", f"{path}/1"),
                ("PATCH", f"{path}/1"),
                ("PUT", f"{path}/1"),
                ("DELETE", f"{path}/1"),
                ("DELETE", f"{path}?id=gt.0"),
            ):
                assert (await client.request(method, url)).status_code == 401, (method, url)
        allowed = {"Authorization": "Bearer secret"}
        assert (await client.get("/own", headers=allowed)).json() == []
        assert (await client.post("/own?name=Ada", headers=allowed)).status_code == 201
        assert (await client.post("/included/", json={"name": "Grace"}, headers=allowed)).status_code == 201
        assert names(await client.get("/included", headers=allowed)) == ["Ada", "Grace"]


async def test_dependencies_of_the_application_are_solved_too(database_url: str) -> None:
    db = Database(database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with db:
            await db.create_tables(Base)
            yield

    app = FastAPI(lifespan=lifespan, dependencies=[Depends(signed_in)])
    app.include_router(Resource(User))
    async with client_of(app) as client:
        assert (await client.get("/users")).status_code == 401
        assert (await client.get("/users", headers={"Authorization": "Bearer secret"})).json() == []


async def test_each_resource_may_have_a_database_of_its_own(database_url: str, tmp_path: Path) -> None:
    db, other = Database(database_url), Database(f"sqlite:///{tmp_path / 'other.db'}")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with db, other:
            await db.create_tables(Base)
            await other.create_tables(Base)
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(Resource(User))
    app.include_router(Resource(User, database=other, prefix="/others"))
    async with client_of(app) as client:
        await client.post("/users?name=Ada")
        await client.post("/others?name=Grace")
        assert names(await client.get("/users")) == ["Ada"]
        assert names(await client.get("/others")) == ["Grace"]


async def test_an_application_may_start_again(database_url: str) -> None:
    app = application(Database(database_url), Base, Resource(User))
    for number in (1, 2):
        async with client_of(app) as client:
            await client.post("/users?name=Ada")
            assert len((await client.get("/users")).json()) == number


def test_a_resource_needs_a_model() -> None:
    with pytest.raises(TypeError, match="Which model"):
        Resource()
    with pytest.raises(TypeError, match="not a mapped class"):
        Resource(int)
    with pytest.raises(ValueError, match="default_return is 'nothing'"):
        Resource(User, default_return="nothing")
