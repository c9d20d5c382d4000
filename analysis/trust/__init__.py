"""Checks of the package: calibration, backtests, left-out evidence, published forecasts."""
