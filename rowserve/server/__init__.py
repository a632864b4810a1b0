"""The ``rowserve`` command: it serves the users app, an app of yours, or your models."""
