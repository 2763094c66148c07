"""Kernels as Python numbers: taps of named stencils, and kernels as short sums of products."""
