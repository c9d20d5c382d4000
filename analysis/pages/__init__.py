"""Offline pages: the report, comparisons, sweeps and the index of runs."""
