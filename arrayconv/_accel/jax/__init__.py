"""Methods on JAX arrays: XLA's own convolution, and the package's compiled loops as one custom call of XLA (`ffi`).

The loops, their tables and their costs are in `native`, derivatives and vmap in `_autodiff`.
"""
