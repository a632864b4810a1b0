"""What clients may send: Pydantic models, which resources validate by."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, computed_field

from .models import Role


def slug_of(title: str) -> str:
    """``Un été à Aix!`` becomes ``un-ete-a-aix``."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def has_slug(title: str) -> str:
    if not slug_of(title):
        raise ValueError("A title needs a letter or a digit that can stand in a URL")
    return title


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Title = Annotated[Line, AfterValidator(has_slug)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class PostCreate(BaseModel):
    title: Title
    body: Prose

    @computed_field  # it is stored: the column is there
    def slug(self) -> str:
        return slug_of(self.title)


class PostUpdate(BaseModel):
    """What is not sent is left alone, whatever its default."""

    title: Title = ""
    slug: Slug = ""
    body: Prose = ""


class CommentCreate(BaseModel):
    post_id: int
    text: Prose


class CommentUpdate(BaseModel):
    text: Prose


class UserUpdate(BaseModel):
    role: Role = Role.author
    about: Annotated[str, Field(max_length=2_000)] = ""
