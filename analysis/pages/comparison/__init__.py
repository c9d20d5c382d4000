"""The page that lays runs side by side."""
