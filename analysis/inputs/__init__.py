"""What users state, read and checked: views, priors, training runs, gold curves."""
