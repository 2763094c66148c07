"""For JAX arrays, everything compiled by jax.jit: XLA's convolution, jax.scipy.signal, and the product of spectra."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.scipy.signal

from benchmarks import layers
from benchmarks.peers import by_transform, require
from benchmarks.problems import work

MOST_MACS = 3 * 10**8


def _quick_enough(problem):
    macs, _ = work(problem)
    require(problem.kind != "convolve" or macs <= MOST_MACS, f"{macs:.1e} multiply-adds would take it too long")


def convolution(problem, x, kernel):
    _quick_enough(problem)
    require(problem.kind != "lags", "it is not written for lags")
    if layers.is_row(problem):
        return layers.lax(problem, x, kernel)
    if problem.kind == "transposed":
        return partial(jax.jit(partial(_transposed, problem)), x, kernel)
    if problem.kind == "channels":
        pads = [(problem.options["padding"],) * 2] * 2
        groups = problem.options.get("groups", 1)
        run = partial(
            jax.lax.conv_general_dilated,
            window_strides=(problem.stride,) * 2,
            padding=pads,
            feature_group_count=groups,
        )
        return partial(jax.jit(run), x, kernel)
    ndim = len(problem.kernel)

    def run(x, kernel):
        data, taps = x.reshape(-1, 1, *problem.x[-ndim:]), jnp.flip(kernel)[None, None]
        return jax.lax.conv_general_dilated(
            data, taps, (problem.stride,) * ndim, [(k // 2, k // 2) for k in problem.kernel]
        )

    return partial(jax.jit(run), x, kernel)


def _transposed(problem, x, kernel):
    """Return torch's transposed convolution: one of x with zeros between its samples, by the reversed kernel."""
    before = problem.kernel[-1] - 1 - problem.options["padding"]
    pads = [(before, before + problem.options["output_padding"])] * 2
    weights = jnp.flip(kernel, (2, 3)).transpose(1, 0, 2, 3)
    return jax.lax.conv_general_dilated(x, weights, (1, 1), pads, lhs_dilation=(problem.stride,) * 2)


def _signal(method, problem, x, kernel):
    require(problem.kind == "convolve" and x.ndim == kernel.ndim and problem.stride == 1, "it has one channel")
    if method == "direct":
        _quick_enough(problem)
    return partial(jax.jit(partial(jax.scipy.signal.convolve, mode="same", method=method)), x, kernel)


signal_direct = partial(_signal, "direct")
signal_fft = partial(_signal, "fft")


def spectra(problem, x, kernel):
    run, _ = by_transform(problem, x, kernel, jnp.fft, jnp.flip)
    return partial(jax.jit(run), x, kernel)
