"""Array operations that several algorithms use: extension and its adjoint, windows, transforms, containment.

Functions of the standard only, on arrays of any library. Code for a single algorithm is in that algorithm's file.
"""
