"""Checks of the package itself: simulated truths, backtests, left-out evidence, published forecasts."""
