"""The compiler and the types."""
