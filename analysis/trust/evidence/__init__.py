"""Each piece of evidence predicted from the rest, replicated, and left out."""
