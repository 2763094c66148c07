"""How SciPy's filters become chains of the one operation: arguments, result dtypes, passes.

The public functions and their documentation are in `ndimage`. A filter is a row of passes in `filters`.
"""
