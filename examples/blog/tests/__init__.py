"""The blog's own tests: ``uv run pytest examples/blog``."""
