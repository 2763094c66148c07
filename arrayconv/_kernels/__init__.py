"""Kernels as numbers on the host: taps of named stencils, and kernels that are short sums of products.

Nothing here makes an array of a user's library: `kernels` does.
"""
