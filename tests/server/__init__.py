"""The ``rowserve`` command, as real processes."""
