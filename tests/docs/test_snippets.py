"""Every snippet of the documents runs, and prints what the document says it prints."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .reader import Reader, blocks_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    ROOT / "docs" / "clients.md",
    ROOT / "docs" / "guide" / "testing.md",
]
POSTGRESQL = "postgresql://ada:secret@localhost/app"
LANGUAGES = {"python", "console", "js", "jsx", "sh", "sql", "http"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_reader_sees_what_the_document_says(
    document: Path, tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    reader = Reader(
        tmp_path,
        {
            POSTGRESQL: postgresql_url,
            POSTGRESQL.replace("://", "+asyncpg://"): postgresql_url.replace("://", "+asyncpg://"),
        },
    )
    asyncio.run(reader.read(document, document.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_snippet_is_overlooked(document: Path) -> None:
    text = document.read_text()
    blocks = blocks_of(text)
    assert text.count("```") == 2 * len(blocks), "a fence is not closed, or is indented"
    assert {block.language for block in blocks} <= LANGUAGES
    assert {"python", "console"} <= {block.language for block in blocks}
