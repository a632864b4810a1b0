"""A blog whose resources say what they show and take."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

from httpx import AsyncClient
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, computed_field, field_validator
from sqlalchemy import JSON, CheckConstraint, DateTime, ForeignKey, Numeric, UniqueConstraint, func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rowserve import Context, Database, ReadSession, Resource, Session
from rowserve.permissions import Where


class Base(DeclarativeBase):
    """The models of this module."""


class Author(Base):
    """Who writes."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="none")
    written: Mapped[list[Post]] = relationship(back_populates="author", foreign_keys="Post.author_id")
    checked: Mapped[list[Post]] = relationship(back_populates="moderator", foreign_keys="Post.moderator_id")


class Post(Base):
    """What is written, and what nobody is to know of it."""

    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("moderation_note", "title"),
        CheckConstraint("moderation_note <> title", name="own_words"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column("text", default="-")
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    moderation_note: Mapped[str] = mapped_column(default="fine")
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    internals: Mapped[Any] = mapped_column(JSON, default={"score": 7})
    author: Mapped[Author] = relationship(back_populates="written", foreign_keys=author_id)
    moderator: Mapped[Author | None] = relationship(back_populates="checked", foreign_keys=moderator_id)
    comments: Mapped[list[Comment]] = relationship()

    @hybrid_property
    def note_length(self) -> int:
        """How much there is to hide."""
        return len(self.moderation_note)

    @note_length.inplace.expression
    @classmethod
    def _note_length(cls) -> Any:
        return func.length(cls.moderation_note)


class Comment(Base):
    """What is said of a post."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    text: Mapped[str]


HIDDEN = frozenset({"moderation_note", "moderator_id", "internals", "note_length"})


class Posts(Resource[Post]):
    """What is written."""

    hidden = HIDDEN
    readonly = frozenset({"created_at"})
    permissions = Where(lambda ctx: Post.moderation_note != "spam")
    allow_unfiltered_writes = True


def resources(database: Database) -> tuple[Resource[Any], ...]:
    """The resources of the application. The second one of posts hides nothing."""
    posts = Posts(database=database)

    @posts.function
    async def all_posts(session: ReadSession) -> list[Post]:
        return list(await session.scalars(select(Post)))

    @posts.function
    async def write_post(session: Session, title: str) -> None:
        session.add(Post(title=title, author_id=1))

    authors = Resource(Author, database=database, hidden={"phone"}, embed={"posts", "checked"})
    comments = Resource(Comment, database=database)
    return posts, authors, comments, Resource(Post, database=database, prefix="/open", embed={"comments"})


class AuthorRead(BaseModel):
    """An author as others see him."""

    id: int
    name: str


class PostRead(BaseModel):
    """A post as it is answered with."""

    model_config = ConfigDict(populate_by_name=True)

    id: int
    title: str
    body: str = Field(alias="content", exclude=True)
    author: AuthorRead

    @computed_field
    def teaser(self) -> str:
        """How it begins."""
        return self.body[:3]


class PostCreate(BaseModel):
    """A new post."""

    title: Annotated[str, AfterValidator(str.title)] = Field(min_length=3)
    body: str = Field("as the model has it", alias="content")
    author_id: int = 1
    password: str = Field("", exclude=True)

    @field_validator("password")
    @classmethod
    def not_known(cls, password: str) -> str:
        """As an example of what a validator says."""
        if password == "1234":
            raise ValueError("everybody knows it")
        return password

    @computed_field
    def internals(self) -> dict[str, int]:
        """What is stored of what is not."""
        return {"letters": len(self.password)}


class PostUpdate(BaseModel):
    """What may be changed of a post."""

    title: Annotated[str, AfterValidator(str.title)] = Field("never stored", min_length=3)
    body: str = Field("never stored", alias="content")


class Modelled(Resource[Post]):
    """Posts by models."""

    prefix = "/posts"
    create = PostCreate
    update = PostUpdate
    read = PostRead


class Colour(Enum):
    """What the database has by its name, and Pydantic by its value."""

    RED = "#f00"
    BLUE = "#00f"


class Thing(Base):
    """Something with many types."""

    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[Colour]
    price: Mapped[Decimal] = mapped_column(Numeric(30, 2))
    lasts: Mapped[timedelta]
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    secret: Mapped[str] = mapped_column(default="-")
    data: Mapped[Any] = mapped_column(JSON)
    raw: Mapped[bytes] = mapped_column(default=b"")
    edits: Mapped[int] = mapped_column(default=1, onupdate=3)


class ThingRead(BaseModel):
    """What is shown of it."""

    id: int = Field(alias="ID")
    colour: Colour
    price: Decimal
    lasts: timedelta
    since: datetime
    data: dict[str, Any]


class ThingCreate(ThingRead):
    """What it is made of."""

    secret: SecretStr
    raw: bytes


class ThingUpdate(BaseModel):
    """What may be changed of it."""

    id: int = Field(0, alias="ID")
    colour: Colour = Colour.RED
    price: Decimal = Decimal(0)


class Things(Resource[Thing]):
    """Somethings."""

    create = ThingCreate
    update = ThingUpdate
    read = ThingRead


class Counted(Base):
    """Something whose version is nobody's business."""

    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    revision: Mapped[int]
    owner: Mapped[str]


class Hooked(Resource[Counted]):
    """Somethings with hooks, which see and write what is hidden."""

    hidden = frozenset({"revision", "owner"})
    version = "revision"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[dict[str, Any]] = []

    async def before_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["owner"] = "the hook"

    async def after_insert(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.seen += rows

    async def before_update(self, ctx: Context, rows: list[dict[str, Any]], changes: dict[str, Any]) -> None:
        self.seen += rows
        changes["owner"] = "another"

    async def after_update(self, ctx: Context, rows: list[dict[str, Any]]) -> None:
        self.seen += rows


POSTS = [
    {"title": "One", "text": "aaaa", "author_id": 1, "moderation_note": "a secret", "moderator_id": 2},
    {"title": "Two", "text": "bbbb", "author_id": 2, "moderation_note": "b secret", "moderator_id": None},
    {"title": "Bad", "text": "cccc", "author_id": 2, "moderation_note": "spam", "moderator_id": 1},
]
for post in POSTS:
    post["created_at"] = "2021-01-01T00:00:00"


async def filled(client: AsyncClient, path: str) -> None:
    """Fills the tables; the rest of what posts are by a resource that hides nothing."""
    for where, rows in (
        ("/authors", [{"name": "Ada"}, {"name": "Bob"}]),
        (path, POSTS),
        ("/comments", [{"post_id": 1, "text": "hm"}]),
    ):
        answer = await client.post(where, json=rows)
        assert answer.status_code == 201, answer.text
