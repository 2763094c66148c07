"""Exact gradients, from the definition alone: the adjoint of a call that is linear in an array.

Entry i of the gradient of <dy, f(x)> is <f(e_i) - f(0), dy>, where e_i is 1 at i and 0 elsewhere: a sum of integers for
integer operands. For complex data the product is the real one of R^2, in which <A x, y> = <x, A* y>.
"""

from math import ceil, prod

import numpy as np

from . import bounds, definitions


def exact(path, hosts, options, dy, name):
    """The gradient with respect to the array called `name`, as a complex or real array of integers."""
    array = hosts[name]
    zero = _values(path, {**hosts, name: np.zeros_like(array)}, options)
    units = (1, 1j) if np.iscomplexobj(array) else (1,)
    gradient = np.zeros(array.shape, np.clongdouble if len(units) == 2 else np.longdouble)
    for place in np.ndindex(*array.shape):
        for unit in units:
            one = np.zeros_like(array)
            one[place] = unit
            image = _values(path, {**hosts, name: one}, options) - zero
            gradient[place] += unit * np.sum((np.conj(image) * dy).real)
    return gradient


def _values(path, hosts, options):
    return definitions.exact(path, hosts, options).values


def bound(path, hosts, options, dy, name, dtype):
    """The largest error of a computed gradient, by norm: that of one convolution of dy with the other array."""
    result = definitions.exact(path, hosts, options)
    terms = dy.size + result.terms
    points = 2.0**dy.ndim * (result.span + dy.size)
    other = max(result.norm_x, result.norm_kernel, 1.0)
    folds = ceil(result.span / max(1, prod(next(iter(hosts.values())).shape))) + 1  # an extended sample has copies
    return bounds.normwise(terms, points, np.linalg.norm(dy.astype(complex)) * folds, other, dtype)
