"""Sessions in endpoints of one's own: what is committed, when, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, text, update
from sqlalchemy.exc import InvalidRequestError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession

from rowserve import Database, ReadSession, Resource, Session
from rowserve.users import Base, User
from tests.helpers import application, client_of, names

pytestmark = pytest.mark.anyio

USERS = Resource(User)


class UserRead(BaseModel):
    """What the lesson's endpoints answer."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


@pytest.fixture
def db(database_url: str) -> Database:
    return Database(database_url)


@pytest.fixture
def app(db: Database) -> FastAPI:
    return application(db, Base, USERS)


async def test_the_lessons_own_code_works_beside_a_resource(app: FastAPI) -> None:
    @app.post("/lesson/")
    async def add_user(name: str, session: Session) -> UserRead:
        user = User(name=name)
        session.add(user)
        await session.commit()
        await session.refresh(user)
        return UserRead.model_validate(user)

    @app.get("/lesson/")
    async def get_users(session: Session) -> list[UserRead]:
        result = await session.execute(select(User))
        return [UserRead.model_validate(user) for user in result.scalars().all()]

    async with client_of(app) as client:
        assert (await client.post("/lesson/?name=Ada")).json() == {"id": 1, "name": "Ada"}
        assert (await client.get("/lesson/")).json() == [{"id": 1, "name": "Ada"}]
        assert (await client.get("/users/")).json() == [{"id": 1, "name": "Ada"}]
        await client.post("/users/?name=Grace")
        assert names(await client.get("/lesson/")) == ["Ada", "Grace"]


async def test_returning_commits_before_the_answer_is_sent(app: FastAPI) -> None:
    @app.post("/signup", status_code=201)
    async def signup(name: str, session: Session) -> UserRead:
        user = User(name=name)
        session.add(user)
        await session.flush()
        return UserRead.model_validate(user)

    seen: list[int] = []

    async with client_of(app) as client:
        # Looks at what the others see in the very moment in which the answer begins.
        inner = client._transport.app  # type: ignore[attr-defined]

        async def watching(scope: Any, receive: Any, send: Any) -> None:
            async def watched(message: Any) -> None:
                if message["type"] == "http.response.start" and scope["path"] == "/signup":
                    seen.append(len((await client.get("/users")).json()))
                await send(message)

            await inner(scope, receive, watched)

        client._transport.app = watching  # type: ignore[attr-defined]
        for _ in range(3):
            assert (await client.post("/signup?name=Ada")).status_code == 201

    assert seen == [1, 2, 3]


async def test_an_exception_rolls_back(app: FastAPI) -> None:
    @app.post("/refused")
    async def refused(session: Session) -> None:
        session.add(User(name="Ada"))
        await session.flush()
        raise HTTPException(402, "Pay first")

    @app.post("/broken")
    async def broken(session: Session) -> None:
        session.add(User(name="Ada"))
        await session.flush()
        raise RuntimeError("a bug")

    async with client_of(app, raising=False) as client:
        assert (await client.post("/refused")).status_code == 402
        assert (await client.post("/broken")).status_code == 500
        assert (await client.get("/users")).json() == []
        assert (await client.post("/users", json={"name": "Ada"})).status_code == 201


async def test_a_duplicate_is_a_conflict_whether_flushed_or_committed(app: FastAPI) -> None:
    @app.post("/add/{id_}")
    async def add(id_: int, session: Session, flush: bool = False) -> None:
        session.add(User(id=id_, name="Ada"))
        if flush:
            await session.flush()

    async with client_of(app) as client:
        assert (await client.post("/add/1")).status_code == 200
        for query in ("", "?flush=true"):
            answer = await client.post(f"/add/1{query}")
            assert answer.status_code == 409, answer.text
            assert answer.json()["detail"]["code"] == "23505"
            assert "duplicate key value violates unique constraint" in answer.json()["detail"]["message"]
        assert (await client.post("/add/2")).status_code == 200
        assert len((await client.get("/users")).json()) == 2


async def test_an_error_that_the_endpoint_handles_is_its_own_business(app: FastAPI) -> None:
    @app.post("/get-or-add")
    async def get_or_add(session: Session) -> int:
        try:
            async with session.begin_nested():
                session.add(User(id=1, name="Ada"))
        except Exception:
            session.add(User(id=2, name="Grace"))
        await session.flush()
        return len((await session.scalars(select(User))).all())

    async with client_of(app) as client:
        assert (await client.post("/get-or-add")).json() == 1
        assert (await client.post("/get-or-add")).json() == 2
        assert names(await client.get("/users")) == ["Ada", "Grace"]


async def test_a_read_session_reads(app: FastAPI) -> None:
    @app.get("/count")
    async def count(session: ReadSession) -> int:
        return len((await session.scalars(select(User))).all())

    async with client_of(app) as client:
        assert (await client.get("/count")).json() == 0
        await client.post("/users", json={"name": "Ada"})
        assert (await client.get("/count")).json() == 1


async def test_a_read_session_refuses_to_write(app: FastAPI) -> None:
    @app.post("/add")
    async def add(session: ReadSession) -> None:
        session.add(User(name="Ada"))
        await session.flush()

    @app.post("/change")
    async def change(session: ReadSession) -> None:
        await session.execute(update(User).values(name="Zoë"))

    async with client_of(app) as client:
        await client.post("/users", json={"name": "Ada"})
        for path in ("/add", "/change"):
            with pytest.raises(InvalidRequestError, match="This session only reads"):
                await client.post(path)
        assert names(await client.get("/users")) == ["Ada"]


async def test_a_session_is_over_with_its_request(app: FastAPI) -> None:
    errors: list[str] = []

    @app.post("/later")
    async def later(session: Session, tasks: BackgroundTasks) -> None:
        async def use() -> None:
            try:
                await session.scalars(select(User))
            except InvalidRequestError as error:
                errors.append(str(error))

        tasks.add_task(use)

    async with client_of(app) as client:
        await client.post("/later")

    assert len(errors) == 1
    assert "closed" in errors[0]


async def test_a_session_is_not_for_two_tasks_at_once(app: FastAPI) -> None:
    @app.get("/both")
    async def both(session: Session) -> None:
        await session.scalars(select(User))
        await asyncio.gather(session.scalars(select(User)), session.scalars(select(User)))

    @app.get("/after")
    async def after(session: Session) -> int:
        async def use() -> int:
            return len((await session.scalars(select(User))).all())

        return await asyncio.create_task(use()) + await asyncio.create_task(use())

    async with client_of(app) as client:
        with pytest.raises(InvalidRequestError, match=r"used by two tasks at once|concurrent operations"):
            await client.get("/both")
        assert (await client.get("/after")).json() == 0
        assert (await client.get("/users")).status_code == 200


async def test_a_session_that_was_shared_gives_its_connection_back(database_url: str) -> None:
    app = application(Database(database_url, pool_size=2, timeout=3), Base, USERS)

    @app.get("/both")
    async def both(session: Session) -> None:
        await session.scalars(select(User))
        await asyncio.gather(session.scalars(select(User)), session.scalars(select(User)))

    async with client_of(app, raising=False) as client:
        for _ in range(12):
            assert (await client.get("/both")).status_code == 500


async def test_a_request_that_is_given_up_gives_its_connection_back(database_url: str) -> None:
    app = application(Database(database_url, pool_size=1, timeout=3), Base, USERS)
    started = asyncio.Event()

    @app.get("/wait")
    async def wait(session: Session) -> None:
        await session.execute(select(User))
        started.set()
        while True:
            await session.execute(select(User))

    @app.get("/count")
    async def count(session: Session) -> int:
        return len((await session.scalars(select(User))).all())

    async with client_of(app) as client:
        for _ in range(3):
            started.clear()
            request = asyncio.create_task(client.get("/wait"))
            await started.wait()
            await asyncio.sleep(0.01)
            request.cancel()
            with suppress(asyncio.CancelledError):
                await request
            assert (await client.get("/count")).json() == 0


async def test_after_commit_calls_once_it_is_committed(app: FastAPI, db: Database) -> None:
    called: list[object] = []

    async def note(what: str, *, who: int) -> None:
        called.append((what, who))

    @app.post("/add")
    async def add(session: Session, fail: bool = False) -> None:
        user = User(name="Ada")
        session.add(user)
        await session.flush()
        db.after_commit(session, note, "added", who=user.id)
        db.after_commit(session, called.append, "plain")
        assert called == []
        if fail:
            raise HTTPException(400)

    async with client_of(app) as client:
        assert (await client.post("/add?fail=true")).status_code == 400
        await asyncio.sleep(0.05)
        assert called == []
        assert (await client.post("/add")).status_code == 200
    assert len(called) == 2
    assert "plain" in called


async def test_what_fails_after_the_commit_is_logged(
    app: FastAPI, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    @app.post("/add")
    async def add(session: Session) -> None:
        session.add(User(name="Ada"))
        db.after_commit(session, lambda: 1 / 0)

    async with client_of(app) as client:
        assert (await client.post("/add")).status_code == 200
        assert names(await client.get("/users")) == ["Ada"]
    assert "A callback after a commit failed" in caplog.text


async def test_begin_commits_at_the_end_of_the_block(db: Database) -> None:
    async with db:
        await db.create_tables(Base)
        async with db.begin() as session:
            session.add(User(name="Ada"))
        with suppress(ZeroDivisionError):
            async with db.begin() as session:
                session.add(User(name="Grace"))
                await session.flush()
                raise ZeroDivisionError
        async with db.begin() as session:
            assert [user.name for user in await session.scalars(select(User))] == ["Ada"]


async def test_stream_yields_rows_as_they_come(db: Database) -> None:
    async with db:
        await db.create_tables(Base)
        async with db.begin() as session:
            session.add_all([User(name=f"{index}") for index in range(2_500)])

        assert [user.name async for user in db.stream(select(User).order_by(User.id))] == [
            str(index) for index in range(2_500)
        ]
        assert [tuple(row) async for row in db.stream(select(User.id, User.name).where(User.id < 3))] == [
            (1, "0"),
            (2, "1"),
        ]
        async for _ in db.stream(select(User)):
            break
        async with db.begin() as session:  # a stream left early is in nobody's way
            session.add(User(name="last"))


async def test_a_second_database_has_sessions_of_its_own(tmp_path: Any, database_url: str) -> None:
    db, other = Database(database_url), Database(f"sqlite:///{tmp_path / 'other.db'}")
    OtherSession = Annotated[AsyncSession, other.session]  # noqa: N806 - it is a type

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with db, other:
            await db.create_tables(Base)
            await other.create_tables(Base)
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(USERS)
    app.include_router(Resource(User, database=other, prefix="/others"))

    @app.post("/copy")
    async def copy(session: Session, other_session: OtherSession) -> None:
        for user in await session.scalars(select(User)):
            other_session.add(User(name=f"{user.name}'s copy"))

    async with client_of(app) as client:
        await client.post("/users", json={"name": "Ada"})
        assert (await client.post("/copy")).status_code == 200
        assert names(await client.get("/users")) == ["Ada"]
        assert names(await client.get("/others")) == ["Ada's copy"]


async def test_concurrent_requests_lose_no_update(app: FastAPI, db: Database) -> None:
    @app.post("/increment")
    async def increment(session: Session) -> None:
        user = await session.get_one(User, 1, with_for_update=True)
        await asyncio.sleep(0)
        user.name = str(int(user.name) + 1)

    async with client_of(app) as client:
        await client.post("/users", json={"name": "0"})
        answers = await asyncio.gather(*(client.post("/increment") for _ in range(20)))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert names(await client.get("/users")) == ["20"]


async def test_sessions_and_resources_write_side_by_side(app: FastAPI) -> None:
    @app.post("/add")
    async def add(session: Session) -> None:
        session.add(User(name="session"))

    async with client_of(app) as client:
        answers = await asyncio.gather(
            *(client.post("/add") for _ in range(15)),
            *(client.post("/users", json={"name": "resource"}) for _ in range(15)),
        )
        assert {answer.status_code for answer in answers} == {200, 201}
        assert len((await client.get("/users")).json()) == 30


async def test_reading_never_waits_for_who_writes(app: FastAPI, db: Database) -> None:
    @app.get("/names")
    async def all_names(session: Session) -> list[str]:
        return list(await session.scalars(select(User.name)))

    async with client_of(app) as client:
        await client.post("/users", json={"name": "Ada"})
        async with db.begin() as session, asyncio.timeout(3):
            session.add(User(name="Grace"))
            await session.flush()
            assert (await client.get("/names")).json() == ["Ada"]
            assert names(await client.get("/users")) == ["Ada"]
        assert (await client.get("/names")).json() == ["Ada", "Grace"]


async def test_more_requests_than_connections_wait_their_turn(database_url: str) -> None:
    app = application(Database(database_url, pool_size=2), Base, USERS)

    @app.get("/slow")
    async def slow(session: Session) -> int:
        await session.execute(text("SELECT 1"))
        await asyncio.sleep(0.01)
        return 1

    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get("/slow") for _ in range(12)))
        assert [answer.status_code for answer in answers] == [200] * 12


async def test_a_session_that_is_not_used_takes_no_connection(database_url: str) -> None:
    db = Database(database_url, pool_size=1)
    app = application(db, Base, USERS)

    @app.get("/idle")
    async def idle(session: Session) -> str:
        return "ok"

    async with client_of(app) as client, db.begin() as session:
        await session.execute(text("SELECT 1"))
        async with asyncio.timeout(3):
            assert (await client.get("/idle")).json() == "ok"


async def test_a_closed_database_says_so(db: Database) -> None:
    with pytest.raises(RuntimeError, match="is not open"):
        async with db.begin():
            pass


async def test_an_attribute_that_cannot_be_loaded_keeps_nobody_waiting(postgresql_url: str) -> None:
    app = application(Database(postgresql_url, timeout=120), Base)

    @app.get("/expired")
    async def expired(session: Session) -> None:
        user = User(name="Ada")
        session.add(user)
        await session.flush()
        session.expire(user, ["name"])
        with pytest.raises(MissingGreenlet):
            assert user.name

    async with client_of(app) as client, asyncio.timeout(30):
        assert (await client.get("/expired")).status_code == 200
