"""Makes somebody an admin: ``uv run python -m examples.blog.promote Ada``."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import select

from .database import db
from .models import Role, User


async def promote(name: str) -> None:
    async with db, db.begin() as session:
        user = (await session.scalars(select(User).where(User.name == name))).one()
        user.role = Role.admin
    print(f"{name} is an admin, from the next login on")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(promote(sys.argv[1]))
