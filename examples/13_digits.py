"""A small convolutional network that learns to read digits, on the arrays of every library.

It is written once against the array standard, its backward pass too: `arrayconv.vjp` gives the gradients of the
convolutions, a few short layers in digits/network.py the others, and Adam takes the steps. No library's autograd is
used. Whatever is random comes from one NumPy generator and all is float64: a wrong gradient or a step out of order
would show as another loss, so every step's loss must be the same on every library but for rounding.

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
AGREEMENT = 1e-9  # how far the loss of a step may be from the first library's, as a share of it
LIBRARIES = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "cupy": "array_api_compat.cupy",
}


class Digits(NamedTuple):
    """Images (n, 8, 8, 1) from 0 to 1 with their labels, the held-out quarter apart."""

    images: np.ndarray
    labels: np.ndarray
    held_images: np.ndarray
    held_labels: np.ndarray


class Result(NamedTuple):
    losses: np.ndarray  # one per step
    accuracy: float  # share of the held-out images
    seconds: float
    parameters: list  # arrays of the library


def load(random):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1) / 16
    held, rest = np.split(random.permutation(len(images)), [len(images) // 4])
    return Digits(images[rest], labels[rest], images[held], labels[held])


def batches(random, data, steps):
    """Yield images and one-hot labels, all batches of one size: what is left of a pass is dropped."""
    order = np.empty(0, dtype=int)
    for _ in range(steps):
        if len(order) < BATCH:
            order = random.permutation(len(data.images))
        now, order = np.split(order, [BATCH])
        yield data.images[now], np.eye(10)[data.labels[now]]


def train(xp, steps, device=None):
    """Train on one library's arrays; the same calls, in the same order, whatever the library."""
    random = np.random.default_rng(SEED)
    data = load(random)

    def sent(array):
        return xp.asarray(array, device=device)

    parameters = [sent(array) for array in network.initial(random)]
    moments = [[xp.zeros_like(p) for p in parameters] for _ in range(2)]
    losses = []
    start = perf_counter()
    for step, (images, target) in enumerate(batches(random, data, steps), 1):
        scores, back = network.network(parameters, sent(images), xp)
        loss, back_loss = network.cross_entropy(scores, sent(target), xp)
        parameters, moments = network.adam(parameters, back(back_loss()), moments, step, RATE, xp)
        losses.append(float(loss))
    seconds = perf_counter() - start
    scores, _ = network.network(parameters, sent(data.held_images), xp)
    right = xp.sum(xp.astype(xp.argmax(scores, axis=1) == sent(data.held_labels), xp.int64))
    return Result(np.array(losses), int(right) / len(data.held_labels), seconds, parameters)


def namespace(name):
    """Return a library's array functions; None, with a printed line, where they can't be used."""
    xp = None
    if not find_spec(name):
        print(f"{name:<8} is not installed")
    elif name == "cupy" and not import_module("cupy").is_available():
        print(f"{name:<8} finds no GPU")
    else:
        if name == "jax":
            import_module("jax").config.update("jax_enable_x64", True)
        xp = import_module(LIBRARIES[name])
    return xp


def difference(result, first):
    """Return how far the loss of each step is from the first library's, as a share of it."""
    return np.abs(result.losses - first.losses) / first.losses


def check(results, steps):
    """Raise AssertionError where the libraries differ by more than rounding, or have not learned."""
    first = next(iter(results.values()))
    for name, result in results.items():
        assert np.max(difference(result, first)) <= AGREEMENT, f"{name}: the losses differ by more than rounding"
        assert steps < STEPS or result.accuracy > ACCURACY, f"{name}: only {result.accuracy:.1%} read right"


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=STEPS, help=f"how many; {STEPS} learn well")
    parser.add_argument("--libraries", nargs="+", default=list(LIBRARIES), choices=LIBRARIES, help="all by default")
    parser.add_argument("--picture", help="write loss curves and filters there, as PNG")
    return parser.parse_args()


def main():
    chosen = options()
    if not find_spec("sklearn"):
        raise SystemExit("13_digits: the images come with scikit-learn, which is missing: pip install scikit-learn")
    results = {}
    print(f"{'library':<8} {'steps':>5} {'seconds':>8} {'last loss':>10} {'accuracy':>9} {'difference':>11}")
    for name in chosen.libraries:
        if (xp := namespace(name)) is None:
            continue
        result = results[name] = train(xp, chosen.steps)
        largest = np.max(difference(result, next(iter(results.values()))))
        print(
            f"{name:<8} {chosen.steps:>5} {result.seconds:>8.1f} {result.losses[-1]:>10.6f} {result.accuracy:>9.1%}"
            f" {largest:>11.1e}"
        )
    packages = ", ".join(f"{name} {version(name)}" for name in ("arrayconv", *results, "scikit-learn"))
    print(f"accuracy: of the held-out quarter; difference: the largest of a step's loss from {next(iter(results))}'s")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {packages}")
    check(results, chosen.steps)
    if chosen.picture:
        from digits import picture

        picture.draw(results, difference, AGREEMENT, chosen.picture)
        print(f"wrote {chosen.picture}")


if __name__ == "__main__":
    main()
