"""A small project of a user: its application and its tests, which are run in a process of their own."""
