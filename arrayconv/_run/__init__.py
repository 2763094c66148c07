"""A plan on arrays: operands on canonical axes, steps bound to a library, pieces read, computed and written.

`_autodiff` handles derivatives and traces, `_calls` the caller's axes and `out`.
"""
