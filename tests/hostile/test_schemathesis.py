"""Schemathesis against the OpenAPI document of an existing database, and of models: no server error, and no
status that the document does not know."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import AbstractAsyncContextManager
from typing import Any

from httpx import AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import Request

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about its own dependencies
    import schemathesis
    from schemathesis import Case, GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import status_code_conformance

from tests.parity.club import Club, club

from .odd import Odd, odd_database
from .test_fuzz import PATIENCE, bounded

CHECKS = [not_a_server_error, status_code_conformance]


def cases_of(document: dict[str, Any]) -> st.SearchStrategy[Case[Any]]:
    """Requests as a document describes them, and such as it does not; but for a view that is slow on purpose."""
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="^/slow/")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return st.one_of([each.as_strategy(mode) for each in operations for mode in GenerationMode])


async def check(client: AsyncClient, case: Case[Any]) -> None:
    """Makes a request, and looks at the answer."""
    request: Any = Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
    headers = [(name, text) for name, text in request.headers.items() if name.lower() != "content-length"]
    headers.append(("prefer", "tx=rollback"))  # each request meets the same rows
    async with asyncio.timeout(PATIENCE):
        answer = await client.request(request.method, request.url, headers=headers, content=request.body)
    case.validate_response(answer, checks=CHECKS)


def exercise(serving: AbstractAsyncContextManager[Odd | Club]) -> None:
    """Makes requests of whatever is served. They are drawn outside of the loop: what ends a draw would end the loop."""
    with asyncio.Runner() as runner:
        served = runner.run(serving.__aenter__())
        document = runner.run(served.client.get("/openapi.json")).json()

        @settings(bounded, max_examples=40)
        @given(cases_of(document))
        def every_answer_is_one_that_is_described(case: Case[Any]) -> None:
            runner.run(check(served.client, case))

        try:
            every_answer_is_one_that_is_described()
        finally:
            runner.run(serving.__aexit__(None, None, None))


def test_an_existing_database(database_url: str) -> None:
    exercise(odd_database(database_url))


def test_models(database_url: str) -> None:
    exercise(club(database_url))
