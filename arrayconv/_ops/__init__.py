"""Array operations the algorithms share: extension and its adjoint, windows, joining, transforms, containment."""
