"""The method on tensors that is torch's own convolution, and how tensors share memory with NumPy's methods.

Autograd, vmap and modes of torch are `_autodiff.torch`'s.
"""
