"""A prior is data: quantities, units, distributions and the quantile tables they become."""
