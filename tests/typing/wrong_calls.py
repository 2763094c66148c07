"""Calls that a type checker must refuse, each on a line marked so; the unmarked lines are right."""

import numpy as np

import arrayconv
from arrayconv import astronomy, kernels, ndimage, nn, signal

x = np.ones((8, 8))
arrayconv.convolve(x, x, "same")
arrayconv.convolve(x, x, "smae")  # error
arrayconv.convolve(x, x, boundary="reflct")  # error
arrayconv.convolve(x, x, boundary=["edge", "reflct"])  # error
arrayconv.convolve(x, x, method="ftt")  # error
arrayconv.convolve(x, x, accuracy="componentwize")  # error
arrayconv.convolve("nonsense", x)  # error
arrayconv.convolve(x, "nonsense")  # error
arrayconv.convolve(x, x, strides=2)  # error
arrayconv.correlate(x, x, stride="2")  # error
arrayconv.einconv("h w, h w -> h w | h w", x, x, padding="smae")  # error
arrayconv.normalized_convolve(x, x, nan_policy="ommit")  # error
arrayconv.match_template(x, x, score="znc")  # error
arrayconv.Convolver(x, boundary="edeg")  # error
arrayconv.Convolver(x)("nonsense")  # error
arrayconv.explain(x, x, method="ftt")  # error
arrayconv.lags("5", 2)  # error
y, pullback = arrayconv.vjp(arrayconv.convolve, x, x, "same")
arrayconv.vjp(arrayconv.convolve, x, x, "smae")  # error
arrayconv.vjp(arrayconv.convolve, x)  # error
arrayconv.vjp(nn.conv2d, x, x, strides=2)  # error
arrayconv.vjp("convolve", x, x)  # error
pullback("nonsense")  # error
pullback(y, wrt="x")  # error
pullback(y, which=0)  # error
arrayconv.convolv(x, x)  # error
print(arrayconv.convolv)  # error
ndimage.gaussian_filter(x, 1.0)
ndimage.gausian_filter(x, 1.0)  # error
arrayconv.ndimage.gausian_filter(x, 1.0)  # error
ndimage.gaussian_filter(x, 1.0, mode="reflct")  # error
ndimage.correlate(x, x, mode=["reflect", "wrap"])  # error
signal.convolve(x, x, method="overlap_save")  # error
signal.convolve2d(x, x, boundary="edge")  # error
signal.lfiltr([1.0], 1, x)  # error
signal.upfirdn([1.0], x, mode="smoooth")  # error
nn.conv2d(x, x, padding="smae")  # error
nn.conv2d(x, x, boundary="replicate")  # error
nn.conv4d(x, x)  # error
nn.grad.conv1d_input((1, 2, 3), x, x, padding="samee")  # error
kernels.gabor(0.25, part="re")  # error
kernels.sobl()  # error
astronomy.convolve(x, x, boundary="edge")  # error
