"""What a finished run says when it is asked: conditions, sensitivity, budgets, comparisons."""
