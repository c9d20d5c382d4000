"""Everything that runs: inputs, inference, summaries, trust, figures, pages, the command line."""
