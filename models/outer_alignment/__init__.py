"""Data quality: how often labels err, and how many comparisons single out an aligned policy."""
