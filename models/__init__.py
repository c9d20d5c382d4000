"""The mathematics: evidence, priors as data, one model per file. No sampling, plots or clock."""
