"""Truths drawn from the prior, simulated, refitted and ranked: are the ranks uniform?"""
