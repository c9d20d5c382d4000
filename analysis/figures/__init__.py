"""Figures of results, drawn with matplotlib in one style."""
