"""A log density and its gradient as machine code, derived from a model's graph and kept on disk."""
