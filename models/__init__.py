"""The mathematics: evidence, priors as data, and one model file per idea. No sampling, no plots, no clock."""
