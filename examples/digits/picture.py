"""The picture: the losses of every library over one another, their differences, and the first layer's filters."""

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

STYLES = [  # wide and pale below, thin and dark above, so that curves that coincide all show
    {"color": "#9ecae1", "linewidth": 7},
    {"color": "#e6550d", "linewidth": 2},
    {"color": "black", "linestyle": "none", "marker": "o", "markersize": 4, "markevery": 10},
    {"color": "#31a354", "linestyle": "none", "marker": "x", "markersize": 5, "markevery": (5, 10)},
]


def draw(results, difference, agreement, path):
    mpl.use("Agg")  # to a file, with or without a screen
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(12, 6.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.4, 1), wspace=0.03)
    above, below = left.subplots(2, sharex=True, height_ratios=(1.3, 1))
    losses(above, results)
    differences(below, results, difference, agreement)
    filters(right, next(iter(results.values())).parameters[0])
    figure.savefig(path, dpi=100)
    plt.close(figure)


def losses(axes, results):
    for style, (name, result) in zip(STYLES, results.items(), strict=False):
        label = f"{name} (every 10th step)" if "markevery" in style else name
        axes.plot(np.arange(1, len(result.losses) + 1), result.losses, label=label, **style)
    axes.set(yscale="log", ylabel="loss (mean cross-entropy, nats)")
    axes.set_title("The loss of every training step: the libraries' curves lie on one another")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")


def differences(axes, results, difference, agreement):
    (reference, first), *others = results.items()
    for style, marker, (name, result) in zip(STYLES[1:], "o+x", others, strict=False):
        far = difference(result, first)
        steps = np.flatnonzero(far) + 1  # a logarithmic axis has no zero
        label = f"{name} (exactly 0 in {np.sum(far == 0)} steps)"
        axes.plot(steps, far[steps - 1], marker, color=style["color"], markersize=3, label=label)
    axes.axhline(agreement, color="gray", linestyle="--")
    axes.annotate("what the script allows", (1, agreement), (0, -4), textcoords="offset points", va="top", color="gray")
    axes.set(yscale="log", xlabel="training step", ylabel="relative difference", ylim=(1e-17, 1e-8))
    axes.set_title(f"How far each of these losses is from {reference}'s")
    axes.grid(alpha=0.3)
    if others:
        axes.legend(loc="upper right", bbox_to_anchor=(1, 0.86), markerscale=2)


def filters(figure, weights):
    weights = np.asarray(weights.get() if hasattr(weights, "get") else weights)  # `get` brings CuPy's to the host
    size = np.max(np.abs(weights))
    grid = figure.subplots(4, 4)
    for number, axes in enumerate(grid.flat):
        image = axes.imshow(weights[:, :, 0, number], cmap="RdBu", vmin=-size, vmax=size)
        axes.set(xticks=[], yticks=[])
    figure.suptitle("The 16 filters (5 x 5 pixels) of the first layer, as learned", fontsize="large")
    figure.colorbar(image, ax=grid, label="weight", location="bottom", shrink=0.8, aspect=40, ticks=MaxNLocator(5))
