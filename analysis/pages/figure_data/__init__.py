"""Drawn figures read back as data, for the charts of a page."""
