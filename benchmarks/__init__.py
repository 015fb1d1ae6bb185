"""Measurements whose results are committed; each module is a command."""
