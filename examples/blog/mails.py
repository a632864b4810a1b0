"""Mails that are never sent: they are kept here, for tests to read."""

from __future__ import annotations

from typing import NamedTuple


class Mail(NamedTuple):
    """A mail."""

    to: str
    subject: str


sent: list[Mail] = []


async def send(to: str, subject: str) -> None:
    """Sends a mail, as far as this blog does."""
    sent.append(Mail(to, subject))
