"""Hostile input, bounded in time: ``make fuzz``."""
