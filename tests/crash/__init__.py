"""Kill commands at many moments, and look at what they left: ``make crash``."""
