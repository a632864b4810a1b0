"""``rowserve serve`` with credentials: nobody gets in without them, wherever they knock."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from starlette.types import Message

from rowserve import Database, database
from rowserve.server import cli
from rowserve.server.application import VARIABLE, Options, application
from rowserve.server.credentials import Credentials
from tests.helpers import refusal
from tests.identity.minting import SECRET, in_seconds, jwk, mint
from tests.openapi import check_document
from tests.processes import Served, rowserve

JWTS = Credentials(jwt_secret=SECRET)
OPEN = ("/docs", "/redoc", "/openapi.json", "/_rowserve/health")
MODELS = """
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from starlette.requests import HTTPConnection

from rowserve import Functions


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Doc(Base):
    __tablename__ = "docs"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


rpc = Functions()


async def asking(connection: HTTPConnection) -> Any:
    return connection.scope["rowserve.user"]


@rpc.function
async def who_asks(user: Annotated[Any, Depends(asking)]) -> str:
    return "nobody" if user is None else user.id
"""


@asynccontextmanager
async def client_of(options: Options) -> AsyncIterator[httpx.AsyncClient]:
    """A client of what is served with some options, once it has started."""
    app = application(options)
    told: asyncio.Queue[Message] = asyncio.Queue()
    tells: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan"}, told.get, tells.put))
    told.put_nowait({"type": "lifespan.startup"})
    assert (await tells.get())["type"] == "lifespan.startup.complete"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client
    told.put_nowait({"type": "lifespan.shutdown"})
    await life
    gc.unfreeze()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(params=["users", "models", "database"])
async def options(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Each kind of thing that is served, with a table ``users`` or ``books``."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    if request.param == "models":
        (tmp_path / "models.py").write_text(MODELS)
        return {"target": str(tmp_path / "models.py")}
    if request.param == "database":
        async with Database(database_url) as database, database.begin() as session:
            await session.execute(text("create table books (id integer primary key, title text)"))
            await session.execute(text("create table docs (id integer primary key, title text)"))
        return {"target": database_url}
    return {}


@pytest.mark.anyio
async def test_nobody_gets_in_without_a_token(options: dict[str, Any]) -> None:
    table = "books" if options else "users"
    async with client_of(Options(**options, credentials=JWTS)) as client:
        for method, path in (
            ("GET", f"/{table}"), ("GET", f"/{table}/"), ("HEAD", f"/{table}"), ("GET", f"/{table}/1"),
            ("POST", f"/{table}"), ("PATCH", f"/{table}?id=eq.1"), ("PUT", f"/{table}/1"), ("DELETE", f"/{table}/1"),
            ("POST", f"/{table}/_query"), ("QUERY", f"/{table}"), ("OPTIONS", f"/{table}"), ("BREW", f"/{table}"),
            ("GET", "/"), ("GET", "/nothing"), ("POST", "/rpc/who_asks"), ("GET", "/rpc/who_asks"),
            ("GET", "/docs/"), ("GET", "//docs"), ("GET", "/docs/1"), ("GET", "/DOCS"), ("GET", "/_rowserve/health/"),
        ):  # fmt: skip
            answer = await client.request(method, f"http://test{path}")
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            wrong = await client.request(method, f"http://test{path}", headers=bearer(mint(key="b" * 64)))
            assert wrong.status_code == 401, (method, path)
            if method != "HEAD":
                assert refusal(answer) == (401, "PGRST302")
                assert refusal(wrong) == (401, "PGRST301")


@pytest.mark.anyio
async def test_with_a_token_all_is_as_it_was(options: dict[str, Any]) -> None:
    table, column = ("books", "title") if options else ("users", "name")
    async with client_of(Options(**options, credentials=JWTS)) as client:
        client.headers = httpx.Headers(bearer(mint(exp=in_seconds(86_400))))
        row = {"id": 1, column: "Emma"}
        added = await client.post(f"/{table}", json=row)
        assert (added.status_code, added.json()) == (201, row)
        for _ in range(2):
            assert (await client.get(f"/{table}/")).json() == [row]
            assert (await client.get(f"/{table}/1")).json() == row
        assert refusal(await client.get("/nothing")) == (404, "PGRST205")
        assert (await client.delete(f"/{table}/1")).status_code in (200, 204)


@pytest.mark.anyio
async def test_the_documentation_and_health_are_open(options: dict[str, Any]) -> None:
    async with client_of(Options(**options, credentials=JWTS)) as client:
        for path in OPEN[1:] if options else OPEN:
            assert (await client.get(path)).status_code == 200, path
        document = (await client.get("/openapi.json")).json()
        check_document(document)
        scheme = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        assert document["components"]["securitySchemes"] == scheme
        everywhere = document.get("security")
        for item in document["paths"].values():
            for operation in item.values():
                assert operation.get("security", everywhere) == [{"bearer": []}]


@pytest.mark.anyio
async def test_without_credentials_the_document_says_nothing_of_them(options: dict[str, Any]) -> None:
    async with client_of(Options(**options)) as client:
        document = (await client.get("/openapi.json")).json()
        assert "securitySchemes" not in document["components"]
        assert "security" not in document
        assert (await client.get("/books" if options else "/users")).json() == []


@pytest.mark.anyio
async def test_a_table_called_docs_is_no_documentation(options: dict[str, Any]) -> None:
    if not options:
        pytest.skip("the users app has no such table")
    async with client_of(Options(**options, credentials=JWTS)) as client:
        for path in ("/docs", "/docs/oauth2-redirect", "/docs/"):
            assert refusal(await client.get(path)) == (401, "PGRST302")
        assert (await client.get("/docs", headers=bearer(mint()))).json() == []


@pytest.mark.anyio
async def test_who_has_no_token_may_get_in_where_that_is_said(options: dict[str, Any]) -> None:
    table = "books" if options else "users"
    credentials = Credentials(jwt_secret=SECRET, allow_anonymous=True)
    async with client_of(Options(**options, credentials=credentials)) as client:
        assert (await client.get(f"/{table}")).json() == []
        assert (await client.get(f"/{table}", headers=bearer(mint()))).json() == []
        expired = await client.get(f"/{table}", headers=bearer(mint(exp=1)))
        assert refusal(expired) == (401, "PGRST303")


@pytest.mark.anyio
async def test_who_asks_is_in_the_scope(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    (tmp_path / "models.py").write_text(MODELS)
    digest = sha256(b"opaque").hexdigest()
    (tmp_path / "tokens.json").write_text(json.dumps({digest: {"sub": "importer"}}))
    credentials = Credentials(jwt_secret=SECRET, tokens=str(tmp_path / "tokens.json"), allow_anonymous=True)
    async with client_of(Options(str(tmp_path / "models.py"), credentials=credentials)) as client:
        for headers, name in (({}, "nobody"), (bearer(mint()), "7"), (bearer("opaque"), "importer")):
            assert (await client.post("/rpc/who_asks", headers=headers)).json() == name


@pytest.mark.anyio
async def test_pages_of_other_origins_see_why_they_are_refused(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    origin = {"Origin": "http://localhost:5173"}
    async with client_of(Options(credentials=JWTS)) as client:
        asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        assert (await client.options("/users", headers={**origin, **asking})).status_code == 200
        refused = await client.get("/users", headers={**origin, "Accept": "application/problem+json"})
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["access-control-allow-origin"] == origin["Origin"]


@pytest.mark.anyio
@pytest.mark.parametrize("secret", [{"keys": [jwk("ES256", "first")]}, jwk("ES256", "first")])
async def test_a_jwk_for_a_secret(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    credentials = Credentials(jwt_secret=json.dumps(secret), jwt_audience="app", jwt_issuer="https://x")
    async with client_of(Options(credentials=credentials)) as client:
        good = bearer(mint("ES256", "first", aud="app", iss="https://x"))
        assert (await client.get("/users", headers=good)).status_code == 200
        for claims in ({"aud": "app"}, {"iss": "https://x"}):
            assert refusal(await client.get("/users", headers=bearer(mint("ES256", **claims)))) == (401, "PGRST303")


def test_a_server_of_two_workers(sqlite_url: str, tmp_path: Path) -> None:
    made = subprocess.run(
        [rowserve(), "token", "importer"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=20
    )
    environment = {"ROWSERVE_JWT_SECRET": SECRET}
    arguments = ("--workers", "2", "--tokens", "tokens.json")
    with Served(*arguments, database=sqlite_url, cwd=tmp_path, environment=environment) as server:

        def asked(token: str | None) -> int:
            return httpx.get(f"{server.url}/users", headers=bearer(token) if token else {}).status_code

        with ThreadPoolExecutor(4) as executor:
            for token, status in ((None, 401), (made.stdout.strip(), 200), (mint(), 200), ("nonsense", 401)):
                assert set(executor.map(asked, [token] * 4)) == {status}
        assert server.stop() == 0
        assert SECRET not in server.output


def served(*arguments: str, secret: str = "") -> Result:
    environment = {"DATABASE_URL": "", "ROWSERVE_JWT_SECRET": secret}
    return CliRunner(env=environment).invoke(cli.main, ["serve", *arguments])


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the command would have served."""
    ran: list[Options] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "{}")
    monkeypatch.setattr(cli, "check_address", lambda *_: None)
    known: WeakSet[Database] = WeakSet()  # the command opens all that there are, those of the tests before too
    for module in (cli, database):
        monkeypatch.setattr(module, "known", known)
    monkeypatch.setattr(cli, "run", lambda *_: ran.append(Options.load()))
    (tmp_path / "tokens.json").write_text("{}")
    (tmp_path / "bare.py").write_text("async def app(scope, receive, send): ...\n")
    return ran


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_open_api_is_for_this_machine_only(ran: list[Options], host: str) -> None:
    refused = served("--host", host)
    assert refused.exit_code == 1
    assert f"Whoever reaches {host} could read and change everything" in refused.stderr
    assert "--allow-anonymous" in refused.stderr
    assert not ran


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "127.0.0.1"],
        ["--host", "localhost"],
        ["--host", "127.1.2.3"],
        ["--host", "::1"],
        ["--host", "0.0.0.0", "--allow-anonymous"],
        ["--host", "0.0.0.0", "--jwt-secret", SECRET],
        ["--host", "0.0.0.0", "--jwks-url", "https://x/keys"],
        ["--host", "0.0.0.0", "--tokens", "tokens.json"],
        ["--host", "0.0.0.0", "bare:app"],
    ],
)
def test_what_may_be_served_where(ran: list[Options], arguments: list[str]) -> None:
    done = served(*arguments)
    assert (done.exit_code, len(ran)) == (0, 1), done.output


APP = """
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rowserve import Database, Resource
from rowserve.permissions import AllowAny, ReadOnly


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)


class Page(Base):
    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True)


async def needed() -> None: ...


class Narrowed(Resource[Book]):
    def query(self, ctx):
        return None


db = Database()
app = FastAPI(lifespan=db.lifespan)
depending = [Depends(needed)]
app.include_router(Resource(Book, prefix="/a", permissions=AllowAny()))
app.include_router(Resource(Book, prefix="/b", user=Depends(needed)))
app.include_router(Resource(Book, prefix="/c", dependencies=depending))
app.include_router(Resource(Book, prefix="/d"), dependencies=depending)
app.include_router(Narrowed(prefix="/e"))
outer = APIRouter(prefix="/f", dependencies=depending)
outer.include_router(Resource(Book))
app.include_router(outer)
guarded = FastAPI(dependencies=depending)
guarded.include_router(Resource(Book))
app.mount("/g", guarded)
"""
BARE = """
app.include_router(Resource(Book), prefix="/v1")
app.include_router(Resource(Page, prefix="/v1/books/pages"))
inner = FastAPI()
inner.include_router(Resource(Page))
app.mount("/h", inner)
"""


def test_resources_that_are_everybodys_are_named(ran: list[Options], tmp_path: Path) -> None:
    (tmp_path / "guarded_app.py").write_text(APP)
    (tmp_path / "bare_app.py").write_text(APP + BARE)
    warned = served("--host", "0.0.0.0", "bare_app:app", "--database", "sqlite://")
    assert warned.stderr.count("Warning") == 1
    assert (
        "whoever reaches 0.0.0.0 can read and change everything at /v1/books (Book), /v1/books/pages (Page), "
        "/h/pages (Page): no permissions" in warned.stderr
    )
    for arguments in (["bare_app:app"], ["--host", "::1", "bare_app:app"], ["--host", "0.0.0.0", "guarded_app:app"]):
        assert served(*arguments, "--database", "sqlite://").stderr == ""
    assert len(ran) == 4


def test_a_secret_in_the_environment(ran: list[Options]) -> None:
    assert served("--host", "0.0.0.0", secret=SECRET).exit_code == 0
    assert ran[0].credentials == JWTS
    assert SECRET not in repr(ran[0])
    assert served("bare:app", secret=SECRET).exit_code == 0, "it may be the application's own"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jwt-secret", "short"], "The secret has 5 bytes"),
        (["--jwt-secret", '{"keys"'], "begins like a JWK, but is no JSON"),
        (["--jwt-secret", '{"keys": []}'], "None of the JWK set's keys"),
        (["--jwt-secret", SECRET, "--jwks-url", "https://x/keys"], "either key= or jwks_url="),
        (["--jwks-url", "nonsense"], "begins with https://"),
        (["--tokens", "nowhere.json"], "nowhere.json cannot be read"),
        (["--jwt-audience", "app"], "go with --jwt-secret or --jwks-url"),
        (["--jwt-issuer", "x", "--tokens", "tokens.json"], "go with --jwt-secret or --jwks-url"),
        (["--jwt-secret", SECRET, "bare:app"], "--jwt-secret is for what rowserve makes resources for"),
        (["--tokens", "tokens.json", "bare:app"], "--tokens is for what rowserve makes resources for"),
        (["--allow-anonymous", "bare:app"], "--allow-anonymous is for what rowserve makes resources for"),
    ],
)
def test_credentials_that_cannot_be(ran: list[Options], arguments: list[str], message: str) -> None:
    refused = served(*arguments)
    assert refused.exit_code in (1, 2)
    assert message in refused.stderr
    assert not ran


def test_options_survive_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "{}")
    credentials = Credentials(SECRET, None, "app", "https://x", "tokens.json", allow_anonymous=True)
    options = Options("models.py", credentials=credentials)
    options.save()
    assert Options.load().credentials == credentials
