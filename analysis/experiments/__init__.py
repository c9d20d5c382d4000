"""Simulated worlds and streams that no evidence enters: gold curves, density prediction."""
