"""The package's own compiled loops: three methods on NumPy arrays, and the Python side of the C code in `src`.

`native_loops`, `native_tiles` and `native_images` are the methods; `rows`, `tiles` and `images` fill the table that
each loop reads; `loader` loads the library and calls it. Nothing here computes, and NumPy is the only library used.
"""
