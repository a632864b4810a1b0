"""Applications that show how rowserve is used."""
