"""Mutation testing: small faults in the package, each of which a test has to detect. See `__main__`."""
