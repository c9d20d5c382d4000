"""Many views answered with one compiled model a process, and what moves their answers."""
