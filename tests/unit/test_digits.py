"""The example that trains: its layers' gradients, its batches, its agreement between libraries, and its picture."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import LIBRARIES, make_library

pytest.importorskip("sklearn", reason="scikit-learn is not installed, and the images are its")

PATH = Path(__file__).parents[2] / "examples" / "13_digits.py"


def _load():
    spec = importlib.util.spec_from_file_location("thirteen_digits", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(PATH.parent))  # as for a script that is run
    try:
        spec.loader.exec_module(module)
        from digits import picture
    finally:
        sys.path.remove(str(PATH.parent))
    return module, picture


script, picture = _load()
network = script.network

LAYERS = {  # with the shapes of the arguments
    "convolution": (network.convolution, [(2, 6, 5, 2), (3, 3, 2, 4), (4,)]),
    "an even kernel": (network.convolution, [(2, 6, 5, 2), (2, 4, 2, 3), (3,)]),
    "relu": (network.relu, [(2, 4, 4, 3)]),
    "halved": (network.halved, [(2, 4, 6, 3)]),
    "flat": (network.flat, [(2, 3, 4)]),
    "dense": (network.dense, [(3, 5), (5, 4), (4,)]),
}


def slope(function, arguments, directions):
    """Return the derivative of a function along directions, by a central difference."""
    step = 1e-5
    ahead, behind = (
        function(*(a + sign * step * d for a, d in zip(arguments, directions, strict=True))) for sign in (1, -1)
    )
    return (ahead - behind) / (2 * step)


def inner(first, second):
    return sum(float(np.sum(a * b)) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("layer", "shapes"), LAYERS.values(), ids=LAYERS)
def test_layer_gives_the_slope_of_its_result(layer, shapes):
    random, xp = np.random.default_rng(1), make_library("numpy").xp
    arguments, directions = ([random.normal(size=shape) for shape in shapes] for _ in range(2))
    y, back = layer(*arguments, xp)
    dy = random.normal(size=y.shape)
    gradients = back(dy)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    assert [g.shape for g in gradients] == [a.shape for a in arguments]
    expected = slope(lambda *a: np.sum(dy * layer(*a, xp)[0]), arguments, directions)
    assert inner(gradients, directions) == pytest.approx(expected, rel=1e-7)


def test_convolution_computes_no_gradient_that_is_not_requested():
    random, xp = np.random.default_rng(1), make_library("numpy").xp
    y, back = network.convolution(*(random.normal(size=shape) for shape in LAYERS["convolution"][1]), xp)
    _, *expected = back(np.ones_like(y))
    for got, gradient in zip(back(np.ones_like(y), wrt=(1,)), expected, strict=True):
        np.testing.assert_array_equal(got, gradient)


def test_cross_entropy_is_the_mean_surprise_at_the_right_label():
    random, xp = np.random.default_rng(1), make_library("numpy").xp
    scores, target = random.normal(size=(6, 10)), np.eye(10)[random.integers(0, 10, 6)]
    chances = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss, back = network.cross_entropy(scores, target, xp)
    assert loss == pytest.approx(-np.mean(np.log(chances[target == 1])), rel=1e-14)
    direction = random.normal(size=scores.shape)
    expected = slope(lambda s: network.cross_entropy(s, target, xp)[0], [scores], [direction])
    assert inner([back()], [direction]) == pytest.approx(expected, rel=1e-7)


def test_cross_entropy_of_large_scores_is_finite():
    loss, back = network.cross_entropy(1e4 * np.eye(10), np.roll(np.eye(10), 1, axis=0), make_library("numpy").xp)
    assert loss == 1e4
    assert np.all(np.isfinite(back()))


def test_network_has_the_gradients_that_torch_finds():
    torch, random = pytest.importorskip("torch", reason="torch is not installed"), np.random.default_rng(1)
    host = [array + 0.1 * random.normal(size=array.shape) for array in network.initial(random)]
    images, target = random.random((4, 8, 8, 1)), np.eye(10)[[3, 1, 4, 1]]
    scores, back = network.network(host, images, make_library("numpy").xp)
    loss, back_loss = network.cross_entropy(scores, target, make_library("numpy").xp)

    w1, b1, w2, b2, w3, b3 = tensors = [torch.tensor(array, requires_grad=True) for array in host]
    y = torch.tensor(images).permute(0, 3, 1, 2)
    for weight, bias in ((w1, b1), (w2, b2)):
        y = torch.relu(torch.nn.functional.conv2d(y, weight.permute(3, 2, 0, 1), bias, padding="same"))
    y = torch.nn.functional.avg_pool2d(y, 2).permute(0, 2, 3, 1).flatten(1)
    theirs = torch.nn.functional.cross_entropy(y @ w3 + b3, torch.tensor(target))
    theirs.backward()

    assert float(loss) == pytest.approx(theirs.item(), rel=1e-13)
    for got, tensor in zip(back(back_loss()), tensors, strict=True):
        np.testing.assert_allclose(got, tensor.grad.numpy(), rtol=1e-11, atol=1e-14)


def test_first_step_of_adam_has_the_length_of_the_rate():
    xp = make_library("numpy").xp
    (moved,), _ = network.adam([np.zeros(3)], [np.array([2.0, -0.5, 1e-3])], ([0.0], [0.0]), 1, 0.1, xp)
    np.testing.assert_allclose(moved, [-0.1, 0.1, -0.1], rtol=1e-3)


def test_steps_of_adam_are_torchs():
    torch, random = pytest.importorskip("torch", reason="torch is not installed"), np.random.default_rng(1)
    parameters, moments = [random.normal(size=4)], ([np.zeros(4)], [np.zeros(4)])
    tensor = torch.tensor(parameters[0])
    optimizer = torch.optim.Adam([tensor], lr=0.1)
    for step in range(1, 6):
        gradient = random.normal(size=4)
        parameters, moments = network.adam(parameters, [gradient], moments, step, 0.1, make_library("numpy").xp)
        tensor.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(parameters[0], tensor.numpy(), rtol=1e-6)  # their 1e-8 is added elsewhere


def test_a_quarter_is_held_out():
    data = script.load(np.random.default_rng(0))
    assert (len(data.test_images), len(data.images)) == (449, 1348)
    assert data.images.shape[1:] == data.test_images.shape[1:] == (8, 8, 1)
    assert (np.min(data.images), np.max(data.images)) == (0, 1)
    from sklearn.datasets import load_digits

    everything = np.concatenate((data.images, data.test_images)).reshape(-1, 64) * 16
    labelled = np.column_stack((everything, np.concatenate((data.labels, data.test_labels))))
    expected = np.column_stack(load_digits(return_X_y=True))
    assert sorted(map(tuple, labelled)) == sorted(map(tuple, expected))


def test_batches_are_of_one_size_and_repeat_nothing_in_a_pass():
    images = np.arange(150)  # two batches a pass, 22 images left out
    data = script.Digits(images, images % 10, images, images)
    batches = list(script.batches(np.random.default_rng(0), data, 5))
    assert [len(batch) for batch, _ in batches] == [script.BATCH] * 5
    for batch, target in batches:
        np.testing.assert_array_equal(np.argmax(target, axis=1), batch % 10)
        assert np.all(np.sum(target, axis=1) == 1)
    for first, second in ((0, 1), (2, 3)):
        assert len({*batches[first][0], *batches[second][0]}) == 2 * script.BATCH
    assert set(batches[0][0]) != set(batches[2][0])


@pytest.fixture(scope="module")
def trained():
    """Four steps on NumPy arrays."""
    return script.train(make_library("numpy").xp, 4)


@pytest.mark.parametrize("name", [name for name in LIBRARIES if name != "numpy"])
def test_every_library_finds_the_losses_that_numpy_finds(name, trained):
    library = make_library(name)
    result = script.train(library.xp, 4, library.device)
    assert result.losses[-1] < result.losses[0]
    assert np.max(script.difference(result, trained)) <= 1e-13  # a few steps leave no time for rounding to grow
    assert result.accuracy == trained.accuracy
    for array, expected in zip(result.parameters, trained.parameters, strict=True):
        assert library.numpy(array).dtype == np.float64
        np.testing.assert_allclose(library.numpy(array), expected, rtol=1e-9, atol=1e-11)


def test_network_learns_in_twenty_steps():
    result = script.train(make_library("numpy").xp, 20)
    assert result.accuracy > 0.6  # a guess: 0.1
    assert np.mean(result.losses[-5:]) < 0.5 * result.losses[0]


@pytest.mark.parametrize(
    ("loss", "accuracy", "steps", "complaint"),
    [
        (1.0, 0.98, script.STEPS, None),
        (1.0, 0.5, 3, None),  # too few steps to have learned
        (1.0, 0.5, script.STEPS, "torch: only 50.0% read right"),
        (1 + 1e-8, 0.98, script.STEPS, "torch: the losses differ by more than rounding"),
        (float("nan"), 0.98, script.STEPS, "torch: the losses differ by more than rounding"),
    ],
)
def test_check_refuses_libraries_that_learn_differently(loss, accuracy, steps, complaint):
    results = {
        "numpy": script.Result(np.ones(2), 0.98, 1.0, []),
        "torch": script.Result(np.array([1.0, loss]), accuracy, 1.0, []),
    }
    if complaint is None:
        script.check(results, steps)
        return
    with pytest.raises(AssertionError) as caught:
        script.check(results, steps)
    assert str(caught.value).startswith(complaint)


def test_a_library_that_is_missing_is_named(monkeypatch, capsys):
    monkeypatch.setattr(script, "find_spec", lambda name: None)
    assert script.namespace("torch") is None
    assert capsys.readouterr().out == "torch    is not installed\n"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_picture_is_drawn_for_any_number_of_libraries(count, trained, tmp_path):
    results = dict.fromkeys(list(script.LIBRARIES)[:count], trained)
    picture.draw(results, script.difference, script.AGREEMENT, tmp_path / "digits.png")
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_script_prints_a_row_per_library(monkeypatch, capsys, tmp_path):
    arguments = ["--steps", "2", "--libraries", "numpy", "torch", "--picture", str(tmp_path / "digits.png")]
    monkeypatch.setattr(sys, "argv", [str(PATH), *arguments])
    script.main()
    header, first, second, *_, versions, wrote = capsys.readouterr().out.splitlines()
    assert header.split() == ["library", "steps", "seconds", "last", "loss", "accuracy", "difference"]
    assert [row.split()[:2] for row in (first, second)] == [["numpy", "2"], ["torch", "2"]]
    assert "scikit-learn" in versions
    assert wrote == f"wrote {tmp_path / 'digits.png'}"
    assert (tmp_path / "digits.png").exists()


def test_script_without_its_images_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(PATH)])
    monkeypatch.setattr(script, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install scikit-learn"):
        script.main()
