"""The package's own compiled loops: five methods on NumPy arrays, and the Python side of the C code in `src`.

`native_loops`, `native_tiles`, `native_images`, `native_dots` and `native_winograd` are the methods; `rows`, `tiles`,
`images`, `dots` and `winograd` fill the table that each loop reads; `loader` loads the library and calls it. Nothing
here computes, and NumPy is the only library used.
"""
