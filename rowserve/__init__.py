"""Async database queries in FastAPI that stay fast when everyone arrives at once."""
