"""Methods on JAX arrays: XLA's own convolution, and our compiled loops as one custom call of XLA (`ffi`).

The loops themselves, their tables and their costs are `native`'s. Derivatives and vmap are `_autodiff`'s.
"""
