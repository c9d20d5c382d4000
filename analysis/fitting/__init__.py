"""One view answered: sampled, or reweighted from stored draws, with priors fitted first."""
