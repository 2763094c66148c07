"""How SciPy's functions of signals become the one operation: arrays as SciPy accepts them, sizes, extensions.

The public functions and their documentation are in `signal`.
"""
