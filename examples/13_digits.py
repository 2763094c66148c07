"""A small convolutional network that learns to read digits, on the arrays of every library.

It is written once against the array standard, its backward pass too: `arrayconv.vjp` returns the gradients of the
convolutions, a few short layers in digits/network.py the others, and Adam updates the weights. No library's autograd is
used. All random numbers come from one NumPy generator and all arrays are float64: a wrong gradient or a step out of
order would change the loss, so every step's loss must be equal on every library up to rounding.

    python examples/13_digits.py [--steps 20] [--libraries numpy torch] [--picture digits.png]
"""

import argparse
import os
import platform
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from time import perf_counter
from typing import NamedTuple

import numpy as np
from digits import network

STEPS, BATCH, RATE, SEED = 420, 64, 1e-2, 0  # 420 steps of 64 images: 20 times through the training set
ACCURACY = 0.97  # more than this share of the held-out quarter must be read right after all steps
AGREEMENT = 1e-9  # largest relative difference of a step's loss from the first library's
LIBRARIES = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "cupy": "array_api_compat.cupy",
}


class Digits(NamedTuple):
    """Images (n, 8, 8, 1) from 0 to 1 with their labels, split into training set and held-out quarter."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


class Result(NamedTuple):
    losses: np.ndarray  # one per step
    accuracy: float  # share of the held-out images
    seconds: float
    parameters: list  # arrays of the library


def load(random):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1) / 16
    test, training = np.split(random.permutation(len(images)), [len(images) // 4])
    return Digits(images[training], labels[training], images[test], labels[test])


def batches(random, data, steps):
    """Yield images and one-hot labels, all batches of one size: the rest of a pass is dropped."""
    order = np.empty(0, dtype=int)
    for _ in range(steps):
        if len(order) < BATCH:
            order = random.permutation(len(data.images))
        batch, order = np.split(order, [BATCH])
        yield data.images[batch], np.eye(10)[data.labels[batch]]


def train(xp, steps, device=None):
    """Train on one library's arrays, with the same calls in the same order for every library."""
    random = np.random.default_rng(SEED)
    data = load(random)

    def to_device(array):
        return xp.asarray(array, device=device)

    parameters = [to_device(array) for array in network.initial(random)]
    moments = [[xp.zeros_like(p) for p in parameters] for _ in range(2)]
    losses = []
    start = perf_counter()
    for step, (images, target) in enumerate(batches(random, data, steps), 1):
        scores, back = network.network(parameters, to_device(images), xp)
        loss, back_loss = network.cross_entropy(scores, to_device(target), xp)
        parameters, moments = network.adam(parameters, back(back_loss()), moments, step, RATE, xp)
        losses.append(float(loss))
    seconds = perf_counter() - start
    scores, _ = network.network(parameters, to_device(data.test_images), xp)
    right = xp.sum(xp.astype(xp.argmax(scores, axis=1) == to_device(data.test_labels), xp.int64))
    return Result(np.array(losses), int(right) / len(data.test_labels), seconds, parameters)


def namespace(name):
    """Return a library's array functions; None, with a printed line, if they can't be used."""
    xp = None
    if not find_spec(name):
        print(f"{name:<8} is not installed")
    elif name == "cupy" and not import_module("cupy").is_available():
        print(f"{name:<8} has no GPU")
    else:
        if name == "jax":
            import_module("jax").config.update("jax_enable_x64", True)
        xp = import_module(LIBRARIES[name])
    return xp


def difference(result, first):
    """Return the relative difference of each step's loss from the first library's."""
    return np.abs(result.losses - first.losses) / first.losses


def check(results, steps):
    """Raise AssertionError if the libraries differ by more than rounding, or have not learned."""
    first = next(iter(results.values()))
    for name, result in results.items():
        assert np.max(difference(result, first)) <= AGREEMENT, f"{name}: the losses differ by more than rounding"
        assert steps < STEPS or result.accuracy > ACCURACY, f"{name}: only {result.accuracy:.1%} read right"


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=STEPS, help=f"number of steps; {STEPS} learn well")
    parser.add_argument("--libraries", nargs="+", default=list(LIBRARIES), choices=LIBRARIES, help="all by default")
    parser.add_argument("--picture", help="file for the loss curves and filters, as PNG")
    return parser.parse_args()


def compare(libraries, steps):
    """Train on the arrays of each library that is there, print a row for each, and return the checked results."""
    results = {}
    print(f"{'library':<8} {'steps':>5} {'seconds':>8} {'last loss':>10} {'accuracy':>9} {'difference':>11}")
    for name in libraries:
        if (xp := namespace(name)) is None:
            continue
        result = results[name] = train(xp, steps)
        largest = np.max(difference(result, next(iter(results.values()))))
        print(
            f"{name:<8} {steps:>5} {result.seconds:>8.1f} {result.losses[-1]:>10.6f} {result.accuracy:>9.1%}"
            f" {largest:>11.1e}"
        )
    packages = ", ".join(f"{name} {version(name)}" for name in ("arrayconv", *results, "scikit-learn"))
    print(f"accuracy: of the held-out quarter; difference: the largest of a step's loss from {next(iter(results))}'s")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {packages}")
    check(results, steps)
    return results


def draw(results, path):
    from digits import picture

    picture.draw(results, difference, AGREEMENT, path)
    print(f"wrote {path}")


def main():
    settings = options()
    if not find_spec("sklearn"):
        raise SystemExit("13_digits: the images come with scikit-learn, which is missing: pip install scikit-learn")
    results = compare(settings.libraries, settings.steps)
    if settings.picture:
        draw(results, settings.picture)


if __name__ == "__main__":
    main()
