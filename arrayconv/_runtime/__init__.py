"""What belongs to the process: cores, threads, memory, caches and their bound, compilers and modes that watch.

Nothing here knows arrays or convolutions, and nothing else of the package is imported.
"""
