"""Requests that write."""

from __future__ import annotations

from typing import Any

from .case import Case, case

OBJECT = "application/vnd.pgrst.object+json"
ROWS = "return=representation"


def post(target: str, content: Any, status: int = 201, **sent: Any) -> Case:
    return case("POST", target, status=status, content=content, **sent)


def patch(target: str, content: Any, status: int = 204, **sent: Any) -> Case:
    return case("PATCH", target, status=status, content=content, **sent)


def put(target: str, content: Any, status: int = 204, **sent: Any) -> Case:
    return case("PUT", target, status=status, content=content, **sent)


def delete(target: str, status: int = 204, **sent: Any) -> Case:
    return case("DELETE", target, status=status, **sent)


def gear(code: str, **columns: Any) -> dict[str, Any]:
    return {"code": code, "name": f"New {code}"} | columns
