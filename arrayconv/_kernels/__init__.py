"""Kernels as numbers on the host: taps of named stencils, and kernels that are short sums of products."""
