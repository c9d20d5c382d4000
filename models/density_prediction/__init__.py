"""The magician who predicts the density of zeros in any sequence."""
