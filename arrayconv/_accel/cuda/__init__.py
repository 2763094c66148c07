"""CUDA kernels, compiled at run time by NVRTC, for arrays on GPUs.

What belongs here: the sources in `src`, the struct that they take, the choice of a kernel for a problem, and the
launchers. What does not: transforms, products of matrices, and anything that a library computes itself.
"""
