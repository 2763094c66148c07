"""SciPy's own tests, run on arrayconv's functions: the replaced functions, the tests that count, the outcomes."""
