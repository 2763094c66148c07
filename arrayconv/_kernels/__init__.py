"""Kernels as Python numbers: taps of named stencils, and kernels as short sums of products.

Nothing here makes an array of a user's library: `kernels` does.
"""
