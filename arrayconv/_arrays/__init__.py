"""Arrays of any library: which library, device and dtype, which types are refused, memory that results are written to.

Nothing here knows what a convolution is. `xp` alone imports array_api_compat.
"""
