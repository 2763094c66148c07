"""What `arrayconv.signal` is made of: SciPy's way of admitting arrays, of naming sizes, of extending a signal."""
