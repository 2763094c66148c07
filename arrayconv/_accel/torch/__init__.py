"""torch's own convolution as a method (`torch_conv`), and NumPy's methods on views of CPU tensors (`views`).

torch's autograd, vmap and modes are in `_autodiff.torch`.
"""
