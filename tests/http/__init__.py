"""A resource over HTTP, on both databases."""
