"""How convolution with missing samples translates: masks, their support, the two sums and their quotient.

The sums are convolutions like any other, bound by `_calls`; no method and no loop belongs here.
"""
