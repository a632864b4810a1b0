"""The compiler: a query and a model in, one SQL statement that yields JSON out. Nothing here does I/O."""
