"""How torch's convolution functions become the one operation: arguments, shapes, derivatives, patches and the bias.

The public functions are in `nn`; `layers` has what the layers of `nn.modules` share.
"""
