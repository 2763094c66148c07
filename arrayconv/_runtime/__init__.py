"""State of the process: cores, threads, memory, caches and their limit, compilers and modes that trace calls.

Nothing here depends on arrays or convolutions, or imports another package of arrayconv.
"""
