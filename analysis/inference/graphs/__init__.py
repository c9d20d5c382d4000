"""The graph of a model as sampling uses it: live in PyTensor, or kept as machine code."""
