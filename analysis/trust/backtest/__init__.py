"""Backtests: fitted on the evidence up to each year, do the trends predict what came?"""
