"""Studies of many cases that can be resumed, such as sweeps: many views, one compiled model."""
