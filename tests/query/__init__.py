"""The dialect, read and written."""
