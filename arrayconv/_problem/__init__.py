"""A call in integers: axes, boundaries, labels, pieces and derivatives of the one operation.

Plain Python on ints and tuples. No array, no library, no dtype object: code that needs one is in `_arrays` or above.
"""
