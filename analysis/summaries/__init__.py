"""From weighted draws to numbers, claims, checks and words."""
