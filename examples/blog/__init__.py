"""A blog with users, posts, comments and tags: who may do what, what happens then, and tests of it."""
