"""One axis in chunks: the samples that a stream keeps, its pieces by ordinary plans, long kernels by partitions.

`Convolver.stream` is the public door. Which outputs a chunk completes is `_problem.stream`'s, methods are `_plan`'s.
"""
