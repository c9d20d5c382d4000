"""Hamiltonian Monte Carlo with many short chains in step, on machine code that works on vectors."""
