"""The clients that people use, from their registries, against a served blog."""
