"""Mails, which this blog only pretends to send: they are logged, and the last ones are kept."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    to: str
    subject: str


sent: deque[Mail] = deque(maxlen=100)


async def send(to: str, subject: str) -> None:
    log.info("Mail to %s: %s", to, subject)
    sent.append(Mail(to, subject))
