"""A blog: users, posts, comments and tags, with rules, hooks, versions and endpoints of its own."""
