"""SciPy's own tests, run on arrayconv's functions: what is replaced, which tests count, what comes out."""
