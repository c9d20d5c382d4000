"""Compile a model once, sample it, and work out its quantities from the draws."""
