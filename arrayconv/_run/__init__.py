"""A plan on arrays: operands on canonical axes, steps bound to a library, pieces read, computed and written.

Derivatives and traces are `_autodiff`'s, the caller's axes and `out` are `_calls`'.
"""
