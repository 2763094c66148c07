"""How torch's convolution functions become the one operation: arguments, shapes, derivatives, patches and the bias.

The public functions and modules are in `nn`.
"""
