"""What is told of a place: once, on the log."""

from __future__ import annotations

import logging

from .places import Place

log = logging.getLogger("rowserve.development")


class Reports:
    """Tells what is wrong with lines of the application, each thing once for each line."""

    def __init__(self) -> None:
        self._told: set[tuple[str, Place]] = set()

    def tell(self, kind: str, place: Place | None, what: str) -> None:
        """Tells of a line.

        Args:
            kind: what sort of thing it is.
            place: the line; None where it is not the application's, so that there is nothing it could do.
            what: what is wrong, and the way out.
        """
        if place is None or (kind, place) in self._told:
            return
        self._told.add((kind, place))
        log.warning("%s, in %s: %s\n    %s", place, place.function, what, place.source)
