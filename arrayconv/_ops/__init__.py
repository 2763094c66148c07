"""Array operations that several algorithms use: extension and its adjoint, windows, transforms, containment.

Standard functions alone, on arrays of any library. What a single algorithm needs is in its own file.
"""
