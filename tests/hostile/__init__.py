"""Requests that mean harm, and requests at random."""
