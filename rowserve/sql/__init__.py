"""The compiler: a query and a model in, one SQL statement that yields JSON out.

Statements are written with SQLAlchemy Core and compiled once for each shape of a request. Nothing here touches a
database; what runs the statements is in :mod:`rowserve.backends`.
"""
