"""The parts of a `Convolver`: its kernel, passes along one axis each, and what it caches between calls.

The class and its documentation are in `convolver`; how a kernel is split into factors is `_kernels.separable`'s.
"""
