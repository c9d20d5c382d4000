"""A run on disk: whole files, whole folders, and what is read back from them."""
