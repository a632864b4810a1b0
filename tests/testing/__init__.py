"""What users of the pytest plugin do."""
