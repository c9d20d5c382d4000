"""Tests of a model by its evidence: predicted from the rest, replicated, and left out."""
