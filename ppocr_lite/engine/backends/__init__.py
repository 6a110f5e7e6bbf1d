"""Training engines; import the one that is chosen, not this package."""
