"""The same requests over SQLite and over PostgreSQL: one schema, one set of rows, and what has to be answered."""
