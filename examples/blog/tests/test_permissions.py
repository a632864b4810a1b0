"""Who may read and write what."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from .conftest import Blog

pytestmark = pytest.mark.anyio


class TestAnonymous:
    async def test_reads_what_is_published_and_who_has_written_it(self, client: AsyncClient, blog: Blog) -> None:
        posts = await client.get("/posts?select=title,author(name),tags(name),comments(text,author(name))")
        assert posts.json() == [
            {
                "title": "A post",
                "author": {"name": "Ada"},
                "tags": [{"name": "maths"}],
                "comments": [{"text": "I have.", "author": {"name": "Bob"}}],
            }
        ]

    async def test_writes_nothing(self, client: AsyncClient, blog: Blog) -> None:
        refused = [
            await client.post("/posts", json={"title": "Mine", "body": "…"}),
            await client.post("/comments", json={"post_id": number(blog.post), "text": "Hello"}),
            await client.post("/tags", json={"name": "physics"}),
            await client.patch(blog.post, json={"title": "Mine"}),
            await client.delete(blog.post),
            await client.post(f"{blog.draft}/publish"),
            await client.get("/me"),
        ]
        assert [answer.status_code for answer in refused] == [401] * 7

    async def test_a_token_of_somebody_elses_making(self, client: AsyncClient, blog: Blog) -> None:
        forged = blog.root["Authorization"][:-4] + "AAAA"
        assert (await client.get("/posts", headers={"Authorization": forged})).status_code == 401


class TestOthers:
    @pytest.mark.parametrize("path", ["/posts?select=id", "/users?select=posts(id)", "/comments?select=post(id)"])
    async def test_do_not_see_a_draft(self, path: str, client: AsyncClient, blog: Blog) -> None:
        for headers in ({}, blog.bob):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 200
            assert number(blog.draft) not in ids(answer.json())
            assert number(blog.post) in ids(answer.json())
        assert number(blog.draft) in ids((await client.get("/users?select=posts(id)", headers=blog.ada)).json())

    async def test_do_not_see_a_draft_by_its_key_nor_what_is_said_of_it(self, client: AsyncClient, blog: Blog) -> None:
        note = {"post_id": number(blog.draft), "text": "To be done"}
        assert (await client.post("/comments", json=note, headers=blog.ada)).status_code == 201
        assert len((await client.get("/comments", headers=blog.ada)).json()) == 2
        assert (await client.get(blog.draft, headers=blog.bob)).status_code == 404
        assert len((await client.get("/comments", headers=blog.bob)).json()) == 1
        assert (await client.post("/comments", json=note, headers=blog.bob)).status_code == 403

    async def test_do_not_change_what_they_see(self, client: AsyncClient, blog: Blog) -> None:
        refused = [
            await client.patch(blog.post, json={"title": "Mine"}, headers=blog.bob),
            await client.delete(blog.post, headers=blog.bob),
            await client.patch(blog.comment, json={"text": "I have not."}, headers=blog.ada),
            await client.patch(f"/users/{blog.ids['Ada']}", json={"about": "Bob's"}, headers=blog.bob),
        ]
        assert [answer.status_code for answer in refused] == [403] * 4

    async def test_do_not_publish(self, client: AsyncClient, blog: Blog) -> None:
        for path in (blog.draft, blog.post):
            assert (await client.post(f"{path}/publish", headers=blog.bob)).status_code == 404

    @pytest.mark.parametrize("column", ["email", "password_hash"])
    async def test_do_not_learn_what_is_hidden(self, column: str, client: AsyncClient, blog: Blog) -> None:
        (user,) = (await client.get("/users?name=eq.Ada", headers=blog.bob)).json()
        assert user == {"id": blog.ids["Ada"], "name": "Ada", "role": "author", "about": ""}
        for path in (f"/users?select={column}", f"/users?{column}=like.a*", f"/posts?select=author({column})"):
            assert (await client.get(path, headers=blog.root)).status_code == 400


class TestOwners:
    async def test_read_and_change_their_drafts(self, client: AsyncClient, blog: Blog) -> None:
        changed = await client.patch(blog.draft, json={"title": "A better draft"}, headers=blog.ada)
        assert changed.json()["title"] == "A better draft"
        assert (await client.delete(blog.draft, headers=blog.ada)).status_code == 204

    async def test_change_what_they_have_said(self, client: AsyncClient, blog: Blog) -> None:
        changed = await client.patch(blog.comment, json={"text": "I have, twice."}, headers=blog.bob)
        assert changed.json()["text"] == "I have, twice."

    async def test_tag_their_posts(self, client: AsyncClient, blog: Blog) -> None:
        (tag,) = (await client.get("/tags")).json()
        link = {"post_id": number(blog.draft), "tag_id": tag["id"]}
        assert (await client.post("/post_tags", json=link, headers=blog.bob)).status_code == 403
        assert (await client.post("/post_tags", json=link, headers=blog.ada)).status_code == 201
        found = await client.get("/posts?select=title,tags!inner()&tags.name=eq.maths", headers=blog.ada)
        assert found.json() == [{"title": "A draft"}, {"title": "A post"}]

    async def test_cannot_hand_a_post_to_somebody_else(self, client: AsyncClient, blog: Blog) -> None:
        refused = await client.patch(blog.post, json={"author_id": blog.ids["Bob"]}, headers=blog.ada)
        assert refused.status_code in (400, 422)
        assert (await client.get(f"{blog.post}?select=author(name)")).json() == {"author": {"name": "Ada"}}

    async def test_do_not_choose_their_role(self, client: AsyncClient, blog: Blog) -> None:
        ada = f"/users/{blog.ids['Ada']}"
        assert (await client.patch(ada, json={"about": "Counts."}, headers=blog.ada)).json()["about"] == "Counts."
        assert (await client.put(ada, json={"about": "Counts on."}, headers=blog.ada)).status_code == 200
        for method in ("PATCH", "PUT"):
            assert (await client.request(method, ada, json={"role": "admin"}, headers=blog.ada)).status_code == 403


class TestAdmins:
    async def test_see_and_change_everything(self, client: AsyncClient, blog: Blog) -> None:
        assert len((await client.get("/posts", headers=blog.root)).json()) == 2
        assert (await client.patch(blog.draft, json={"title": "Seen"}, headers=blog.root)).status_code == 200

    async def test_give_roles(self, client: AsyncClient, blog: Blog) -> None:
        given = await client.patch(f"/users/{blog.ids['Bob']}", json={"role": "admin"}, headers=blog.root)
        assert given.json()["role"] == "admin"

    async def test_choose_tags(self, client: AsyncClient, blog: Blog) -> None:
        assert (await client.post("/tags", json={"name": "physics"}, headers=blog.root)).status_code == 201
        assert (await client.post("/tags", json={"name": "magic"}, headers=blog.ada)).status_code == 403

    async def test_note_what_nobody_else_sees(self, client: AsyncClient, blog: Blog) -> None:
        path = blog.post.replace("posts", "moderation")
        noted = await client.patch(path, json={"moderation_note": "Fine."}, headers=blog.root)
        assert noted.json()["moderation_note"] == "Fine."
        assert (await client.patch(path, json={"title": "Mine"}, headers=blog.root)).status_code == 400
        assert (await client.get("/moderation", headers=blog.ada)).json() == []
        assert "moderation_note" not in (await client.get(blog.post, headers=blog.root)).json()

    async def test_do_not_make_users(self, client: AsyncClient, blog: Blog) -> None:
        refused = await client.post("/users", json={"about": "Nobody"}, headers=blog.root)
        assert (refused.status_code, refused.json()["message"]) == (403, "Users sign up, at /signup")


def number(path: str) -> int:
    return int(path.rpartition("/")[2])


def ids(found: Any) -> set[int]:
    """Every id in an answer, however deep."""
    if isinstance(found, list):
        return set().union(*map(ids, found))
    if isinstance(found, dict):
        return {found["id"]} if "id" in found else ids(list(found.values()))
    return set()
