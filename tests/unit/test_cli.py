"""The command line, through ``main(argv)``: what it prints, writes and returns."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import arrayconv
from arrayconv import config, kernels
from arrayconv.__main__ import COMMANDS, main
from arrayconv._cli import accuracy, console, libraries, measurements, options, recipes

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 50), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _fresh():
    libraries.inspect.cache_clear()
    yield
    libraries.inspect.cache_clear()


@pytest.fixture
def grey(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(GREY).save(path)
    return str(path)


def _refusal(capsys, *words):
    """Return the one line on stderr of a command that must end with status 2."""
    assert main(words) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert captured.out == ""
    return line


def _filtered(path, out, *words):
    assert main(["filter", str(path), "-o", str(out), *words]) == 0
    return np.asarray(Image.open(out))


def _expected(values, kernel, white=255):
    blurred = ndimage.convolve(values / white, kernel, mode="mirror")
    return np.clip(np.rint(blurred * white), 0, white)


# ---- the program ----


def test_no_command_prints_the_help(capsys):
    assert main([]) == 0
    assert "python -m arrayconv demo" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"arrayconv {arrayconv.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_examples_that_parse(command, capsys):
    assert main([command.name, "--help"]) == 0
    captured = capsys.readouterr().out
    examples = [line.split()[3:] for line in captured.splitlines() if line.startswith("  python -m arrayconv")]
    assert examples
    for words in examples:
        assert main([*words, "--help"]) == 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["explain"], "required: --shape, --kernel-shape"),
        (["explain", "--shape", "a", "--kernel-shape", "3"], "whole numbers such as 2048,2048, got 'a'"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--boundary", "mirror"], "must be of constant, edge"),
        (["explain", "--shape", "9", "--kernel-shape", "3,3"], "explain: without `axes`"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--max-workspace", "1"], "`max_workspace` is too small"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--max-workspace", "1 ton"], "got '1 ton'"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--backend", "tensorflow"], "must be one of numpy, torch"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--dtype", "float31"], "invalid choice: 'float31'"),
        (["demo", "--backends", "tensorflow", "--size", "8"], "must be one of numpy, torch"),
        (["demo", "--size", "-1"], "--size must be 0 or more, got -1"),
        (["demo", "-o", "no/such/folder/x.png"], "its folder does not exist"),
    ],
)
def test_errors_are_one_sentence_on_stderr(words, part, capsys):
    assert part in _refusal(capsys, *words)


def test_importing_the_package_leaves_the_command_line_alone():
    code = "import sys, arrayconv; sys.exit(any(name.startswith('arrayconv._cli') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


_WITHOUT = """
import sys
for name in ("rich", "matplotlib", "PIL", "skimage", "scipy", "torch", "jax", "cupy", "dask", "array_api_strict"):
    sys.modules[name] = None  # as if it were not installed
from arrayconv.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["explain", "--shape", "2048,2048", "--kernel-shape", "3,3"], 0, "chosen"),
        (["backends"], 0, "not installed"),
        (["explain", "--shape", "20,20", "--kernel-shape", "3,3", "--measure"], 0, " took "),
        (["tune", "--path"], 0, "cost_table.json"),
        (["demo"], 2, "the picture needs matplotlib, which is not installed. Run: pip install 'arrayconv[demo]'"),
        (
            ["filter", "x.png", "--kernel", "box", "-o", "y.png"],
            2,
            "reading images needs pillow, which is not installed",
        ),
    ],
)
def test_only_numpy_is_needed_where_nothing_else_is_used(words, status, part):
    process = subprocess.run([sys.executable, "-c", _WITHOUT, *words], capture_output=True, text=True, check=False)
    assert process.returncode == status
    assert part in process.stdout + process.stderr
    assert "Traceback" not in process.stderr


# ---- explain ----


def test_explain_prints_what_the_function_says(capsys):
    words = "--shape 8,100,90 --kernel-shape 5,4 --axes=-2,-1 --mode same --boundary reflect,wrap --stride 2,1"
    words += " --dilation 2 --dtype float32 --method im2col --accuracy componentwise --max-workspace 1MiB"
    assert main(["explain", *words.split()]) == 0
    expected = arrayconv.explain(
        (8, 100, 90),
        (5, 4),
        "same",
        axes=(-2, -1),
        boundary=("reflect", "wrap"),
        stride=(2, 1),
        dilation=2,
        dtype="float32",
        method="im2col",
        accuracy="componentwise",
        max_workspace=2**20,
    )
    assert capsys.readouterr().out == f"{expected}\n"


def test_explain_plans_for_another_library(capsys):
    assert main(["explain", "--shape", "100", "--kernel-shape", "5", "--backend", "torch"]) == 0
    assert "on torch/cpu" in capsys.readouterr().out


def test_explain_measures_on_request(capsys):
    words = ["--shape", "60,50", "--kernel-shape", "3,3", "--mode", "same", "--backend", "torch"]
    assert main(["explain", *words, "--measure"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  chosen")]
    assert " est " in line
    assert " took " in line


@pytest.mark.parametrize(("text", "count"), [("4096", 4096), ("64KiB", 65536), ("2M", 2**21), ("1GiB", 2**30)])
def test_byte_counts(text, count):
    assert options.byte_count(text) == count


# ---- backends ----


def test_backends_lists_every_library_and_accelerator(capsys):
    with config.using(accelerators=set()):
        assert main(["backends"]) == 0
    captured = capsys.readouterr().out
    assert all(name in captured for name in (*libraries.NAMESPACES, *config.ACCELERATORS))
    assert np.__version__ in captured
    assert "off" in captured


def test_a_library_without_its_driver_is_listed_with_the_reason(capsys):
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU here")
    entry = libraries.inspect("cupy")
    assert entry.devices == ()
    assert entry.version == cupy.__version__
    assert entry.problem.startswith("no GPU (")
    assert "cannot be used: no GPU" in _refusal(
        capsys, "explain", "--shape", "9", "--kernel-shape", "3", "--backend", "cupy"
    )


def test_a_library_that_breaks_is_listed_with_the_reason(monkeypatch):
    def broken(name):
        raise OSError("libfoo.so: cannot open shared object file")

    monkeypatch.setattr(libraries, "import_module", broken)
    assert libraries.inspect("torch").problem == "cannot be imported (libfoo.so: cannot open shared object file)"


def test_a_library_that_computes_wrongly_is_not_usable(monkeypatch):
    monkeypatch.setattr(arrayconv, "convolve", lambda x, kernel: x)
    entry = libraries.inspect("numpy")
    assert entry.devices == ()
    assert "a small convolution is wrong" in entry.problem


def test_tables_are_plain_where_rich_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    console.table("Title", ("name", "n"), [("a", "1"), ("bcd", "23")], right=("n",))
    assert capsys.readouterr().out == "Title\nname   n\na      1\nbcd   23\n"


# ---- filter ----


@pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
def test_filter_blurs_as_scipy_does(backend, grey, tmp_path, capsys):
    y = _filtered(grey, tmp_path / "out.png", "--kernel", "gaussian", "--sigma", "1.5", "--backend", backend)
    assert np.max(np.abs(y - _expected(GREY, kernels.gaussian(1.5)))) <= 1
    assert f"on {backend}" in capsys.readouterr().out


def test_filter_takes_colour_channels_separately_and_keeps_opacity(tmp_path):
    pixels = RNG.integers(0, 256, (30, 20, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    y = _filtered(tmp_path / "in.png", tmp_path / "out.png", "--kernel", "box", "--size", "3")
    for channel in range(3):
        expected = _expected(pixels[..., channel], kernels.box(3))
        assert np.max(np.abs(y[..., channel] - expected)) <= 1
    np.testing.assert_array_equal(y[..., 3], pixels[..., 3])


def test_filter_keeps_16_bits(tmp_path):
    pixels = RNG.integers(0, 65536, (30, 20), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    words = ("--kernel", "box", "--size", "5", "--dtype", "float64")
    y = _filtered(tmp_path / "in.png", tmp_path / "out.png", *words)
    assert np.max(np.abs(y - _expected(pixels, kernels.box(5), 65535))) <= 1


def test_gradient_is_a_magnitude_and_a_full_step_is_white(tmp_path):
    step = np.zeros((20, 20), dtype=np.uint8)
    step[:, 10:] = 255
    Image.fromarray(step).save(tmp_path / "step.png")
    y = _filtered(tmp_path / "step.png", tmp_path / "out.png", "--kernel", "sobel")
    np.testing.assert_array_equal(y[:, [9, 10]], 255)
    assert y.sum() == 2 * 20 * 255
    falling = _filtered(tmp_path / "step.png", tmp_path / "y.png", "--kernel", "sobel", "--direction", "y")
    assert not falling.any()


def test_signed_maps_zero_to_mid_grey_and_gain_scales(tmp_path):
    step = np.zeros((20, 20), dtype=np.uint8)
    step[:, :10] = 255
    Image.fromarray(step).save(tmp_path / "step.png")
    words = ("--kernel", "sobel", "--direction", "x", "--signed")
    y = _filtered(tmp_path / "step.png", tmp_path / "out.png", *words)
    np.testing.assert_array_equal(y[:, [9, 10]], 0)  # falls from white to black
    np.testing.assert_array_equal(y[:, :9], 128)
    half = _filtered(tmp_path / "step.png", tmp_path / "out.png", *words, "--gain", "0.5")
    np.testing.assert_array_equal(half[:, [9, 10]], 64)


@pytest.mark.parametrize("kernel", recipes.RECIPES)
def test_every_kernel_filters(kernel, grey, tmp_path, capsys):
    assert _filtered(grey, tmp_path / "out.png", "--kernel", kernel).shape == GREY.shape
    assert kernel in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--kernel", "sobel", "--sigma", "2"), "--sigma is no option of the kernel sobel, which takes --direction"),
        (("--kernel", "vertical_edge", "--size", "3"), "which takes no options"),
        (("--kernel", "gaussian", "--size", "4"), "--size must be odd"),
        (("--kernel", "gaussian", "--sigma", "-1"), "`sigma` must be positive"),
        (("--kernel", "box", "--size", "0"), "at least 1, got '0'"),
        (("--kernel", "box", "--backend", "numpy", "--device", "cuda:0"), "--device must be one of cpu for numpy"),
        (("--kernel", "box", "--backend", "dusk"), "must be one of numpy, torch"),
        (("--kernel", "box", "--method", "slow"), "invalid choice: 'slow'"),
    ],
)
def test_filter_refusals(words, part, grey, tmp_path, capsys):
    assert part in _refusal(capsys, "filter", grey, "-o", str(tmp_path / "out.png"), *words)


def test_filter_refuses_files_it_cannot_read_or_write(grey, tmp_path, capsys):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    Image.fromarray(np.ones((4, 4), dtype=np.float32)).save(tmp_path / "float.tiff")
    for image, out, part in [
        (tmp_path / "none.png", "out.png", "none.png: No such file or directory"),
        (text, "out.png", "is not an image that pillow can read"),
        (tmp_path / "float.tiff", "out.png", "has pixels of kind 'F'"),
        (grey, "out.xyz", "unknown file extension: .xyz"),
    ]:
        words = ("filter", str(image), "--kernel", "box", "-o", str(tmp_path / out))
        assert part in _refusal(capsys, *words)


# ---- demo ----


def test_demo_compares_libraries_and_draws(tmp_path, capsys):
    out = tmp_path / "demo.png"
    words = ["--size", "64", "--sigma", "2", "--backends", "numpy,torch,array_api_strict", "-o", str(out)]
    assert main(["demo", *words]) == 0
    captured = capsys.readouterr().out
    assert captured.count("edges") == 1 + 3 * 2  # SciPy's function; arrayconv's two on three libraries
    assert captured.count("blur 17 x 17") == 2 + 3 * 2 + 1  # and by FFT
    for call in ("ndimage.sobel", "ndimage.gaussian_filter", "signal.fftconvolve"):
        assert f" {call} " in captured
        assert f" arrayconv.{call} " in captured
    assert re.search(r"\d threads?, .+, \d{4}-\d\d-\d\d", captured)
    assert f"Picture: {out}" in captured
    with Image.open(out) as picture:
        assert min(picture.size) > 500


def test_demo_takes_a_picture_of_any_shape(tmp_path, capsys):
    Image.fromarray(RNG.integers(0, 256, (20, 60, 3), dtype=np.uint8)).save(tmp_path / "in.png")
    words = ["--image", str(tmp_path / "in.png"), "--backends", "numpy", "-o", str(tmp_path / "out.png")]
    assert main(["demo", *words]) == 0
    assert "20 x 60 float32" in capsys.readouterr().out


def test_demo_fails_where_a_result_is_off(tmp_path, monkeypatch, capsys):
    right = arrayconv.convolve

    def off(x, kernel, *rest, **named):
        return right(x, kernel, *rest, **named) + (1e-4 if rest else 0)

    monkeypatch.setattr(arrayconv, "convolve", off)
    words = ["--size", "64", "--backends", "numpy", "-o", str(tmp_path / "out.png")]
    assert main(["demo", *words]) == 1
    assert "edges: differs by more than its bound" in capsys.readouterr().out


def test_a_library_that_fails_is_a_row_of_the_demo(monkeypatch):
    def crash(*operands, **named):
        raise RuntimeError("out of memory. Buy more")

    photo = RNG.random((20, 30)).astype(np.float32)
    references = [accuracy.compute_reference(operation, photo) for operation in accuracy.operations(1.0)]
    library = libraries.inspect("numpy")
    monkeypatch.setattr(arrayconv, "convolve", crash)
    rows = measurements.measure(library, photo, references)
    failures = {row.call: row.failure for row in rows if row.failed}
    assert failures == {"arrayconv.convolve": "out of memory"}
    assert len(rows) == 5


def test_the_demo_times_what_users_of_scipy_call():
    """On the same float32 picture, apart from the first call, and near the exact result as it should be."""
    photo = RNG.random((40, 50)).astype(np.float32)
    references = [accuracy.compute_reference(operation, photo) for operation in accuracy.operations(2.0)]
    rows = measurements.measure_scipy(photo, references)
    assert [row.call for row in rows] == ["ndimage.sobel", "ndimage.gaussian_filter", "signal.fftconvolve"]
    assert not any(row.failed for row in rows)
    assert all(row.values.dtype == np.float32 and row.first > 0 and row.later > 0 for row in rows)


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_share_of_the_bound_notices_errors_of_float32_size(method):
    photo = RNG.random((64, 64)).astype(np.float32)
    for operation in accuracy.operations(2.0):
        exact = accuracy.compute_reference(operation, photo)
        rounded = exact.value.astype(np.float32)
        assert accuracy.bound_ratio(exact, method, np.abs(rounded - exact.value)) < 1
        assert accuracy.bound_ratio(exact, method, np.full(photo.shape, 1e-4)) > 1
        assert not accuracy.bound_ratio(exact, method, np.full(photo.shape, np.nan)) <= 1
