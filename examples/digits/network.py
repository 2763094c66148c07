"""The network, its loss and its optimizer, forward and backward, for the arrays of any library.

Every layer returns its result and, as `arrayconv.vjp` does, the function from the gradient of that to the gradients
of the layer's arguments. `network` chains them, forward and back. `xp` is the namespace of the arrays.
"""

import numpy as np

import arrayconv

PATTERN = "n h w c, h w c f -> n h w f | h w"  # n images of c channels, f filters: h and w slide
SHAPES = [(5, 5, 1, 16), (3, 3, 16, 32), (4 * 4 * 32, 10)]  # of the weights: two convolutions, a dense layer


def initial(random):
    """Return weights that keep the size of what they multiply, each with its biases, as NumPy arrays."""
    weights = [random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape) for shape in SHAPES]
    return [array for weight in weights for array in (weight, np.zeros(weight.shape[-1]))]


def convolution(x, weight, bias, xp):
    y, pullback = arrayconv.vjp(arrayconv.einconv, PATTERN, x, weight, padding="same")

    def back(dy, wrt=(0, 1)):
        return *pullback(dy, wrt), xp.sum(dy, axis=(0, 1, 2))

    return y + bias, back


def relu(x, xp):
    positive = xp.astype(x > 0, x.dtype)
    return x * positive, lambda dy: dy * positive


def halved(x, xp):
    """Take the mean of every 2 x 2 pixels."""
    n, h, w, c = x.shape

    def back(dy):
        quarter = xp.reshape(dy / 4, (n, h // 2, 1, w // 2, 1, c))
        return xp.reshape(xp.broadcast_to(quarter, (n, h // 2, 2, w // 2, 2, c)), x.shape)

    return xp.mean(xp.reshape(x, (n, h // 2, 2, w // 2, 2, c)), axis=(2, 4)), back


def flat(x, xp):
    return xp.reshape(x, (x.shape[0], -1)), lambda dy: xp.reshape(dy, x.shape)


def dense(x, weight, bias, xp):
    def back(dy):
        return xp.matmul(dy, weight.T), xp.matmul(x.T, dy), xp.sum(dy, axis=0)

    return xp.matmul(x, weight) + bias, back


def cross_entropy(scores, target, xp):
    """Return the mean over the batch of -log(softmax(scores)) at the target, given as one-hot rows."""
    n = scores.shape[0]
    shifted = scores - xp.max(scores, axis=1, keepdims=True)  # so that no exponential overflows
    logs = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    return -xp.sum(target * logs) / n, lambda: (xp.exp(logs) - target) / n


def network(parameters, images, xp):
    """Return ten scores per image, and the function from their gradient to those of the parameters."""
    w1, b1, w2, b2, w3, b3 = parameters
    y, back_convolution1 = convolution(images, w1, b1, xp)  # (n, 8, 8, 16)
    y, back_relu1 = relu(y, xp)
    y, back_convolution2 = convolution(y, w2, b2, xp)  # (n, 8, 8, 32)
    y, back_relu2 = relu(y, xp)
    y, back_halved = halved(y, xp)  # (n, 4, 4, 32)
    y, back_flat = flat(y, xp)
    scores, back_dense = dense(y, w3, b3, xp)

    def back(dscores):
        dy, dw3, db3 = back_dense(dscores)
        dy = back_relu2(back_halved(back_flat(dy)))
        dy, dw2, db2 = back_convolution2(dy)
        dw1, db1 = back_convolution1(back_relu1(dy), wrt=(1,))  # the gradient of the images is not needed
        return [dw1, db1, dw2, db2, dw3, db3]

    return scores, back


def adam(parameters, gradients, moments, step, rate, xp):
    """Return the parameters after step 1, 2, ..., and the running means of the gradients and of their squares."""
    first, second = moments
    first = [0.9 * mean + 0.1 * g for mean, g in zip(first, gradients, strict=True)]
    second = [0.999 * mean + 0.001 * g * g for mean, g in zip(second, gradients, strict=True)]
    rate *= (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)  # makes up for means that start at zero
    moved = [p - rate * m / (xp.sqrt(s) + 1e-8) for p, m, s in zip(parameters, first, second, strict=True)]
    return moved, (first, second)
