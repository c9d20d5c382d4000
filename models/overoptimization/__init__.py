"""How far a learned reward can be optimised before gold reward falls."""
