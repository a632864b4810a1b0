"""The application: ``uv run rowserve serve examples.blog.app:app``."""

from __future__ import annotations

from fastapi import FastAPI

from .database import lifespan
from .endpoints import router
from .resources import resources

app = FastAPI(title="Blog", lifespan=lifespan)
app.include_router(router)
for resource in resources:
    app.include_router(resource)
