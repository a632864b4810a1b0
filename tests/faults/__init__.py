"""What happens when things go wrong: real faults, real processes."""
