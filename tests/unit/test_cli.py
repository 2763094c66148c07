"""The command line, through ``main(argv)``: what it prints, writes and returns."""

import contextlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import arrayconv
from arrayconv import config, kernels
from arrayconv.__main__ import COMMANDS, main
from arrayconv._accel import AcceleratorFailed
from arrayconv._arrays.libraries import LIBRARIES
from arrayconv._cli import accuracy, backends, console, libraries, measurements, options, recipes

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
        (
            ["nonsense"],
            "COMMAND: must be one of demo, backends, filter, explain, tune, conformance, got 'nonsense'. See",
        ),
        (["explain"], "required: --shape, --kernel-shape"),
        (["explain", "--shape", "a", "--kernel-shape", "3"], "whole numbers such as 2048,2048, got 'a'"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--boundary", "mirror"], "must be one of constant, edge"),
        (["explain", "--shape", "9", "--kernel-shape", "3,3"], "explain: without `axes`"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--max-workspace", "1"], "`max_workspace` is too small"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--max-workspace", "1 ton"], "got '1 ton'"),
        (["explain", "--shape", "9", "--kernel-shape", "3", "--backend", "tensorflow"], "must be one of numpy, torch"),
        (
            ["explain", "--shape", "9", "--kernel-shape", "3", "--dtype", "float31"],
            "complex128, got 'float31'. Did you mean",
        ),
        (["demo", "--backends", "tensorflow", "--size", "8"], "must be one of numpy, torch"),
        (["demo", "--size", "-1"], "--size: must be a whole number of at least 0, got '-1'"),
        (["demo", "-o", "x.pgn", "--size", "8"], "webp, got 'pgn'. Did you mean 'png'?"),
        (["backends", "numpy"], "arrayconv backends: it takes no argument 'numpy'. See arrayconv backends --help."),
        (["demo", "-o", "no/such/folder/x.png"], "its folder does not exist"),
    ],
)
def test_errors_are_one_sentence_on_stderr(words, part, capsys):
    assert part in _refusal(capsys, *words)


_EXPLAIN = ("explain", "--shape", "9,9", "--kernel-shape", "3,3")
_FILTER = ("filter", "x.png", "-o", "y.png")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("filtr",), "filter"),
        (("conformence",), "conformance"),
        ((*_FILTER, "--kernel", "gausian"), "gaussian"),
        ((*_FILTER, "--kernel", "box", "--method", "dirct"), "direct"),
        ((*_FILTER, "--kernel", "box", "--boundary", "reflct"), "reflect"),
        ((*_FILTER, "--kernel", "box", "--dtype", "flaot32"), "float32"),
        ((*_FILTER, "--kernel", "box", "--bondary", "wrap"), "--boundary"),
        ((*_FILTER, "--kernel", "box", "--kernle=box"), "--kernel"),
        ((*_EXPLAIN, "--method", "native-tiles"), "native_tiles"),
        ((*_EXPLAIN, "--mode", "smae"), "same"),
        ((*_EXPLAIN, "--boundary", "wrap,Reflect"), "reflect"),
        ((*_EXPLAIN, "--accuracy", "componentwize"), "componentwise"),
        ((*_EXPLAIN, "--backend", "pytorch"), "torch"),
        ((*_EXPLAIN, "--card", "h10"), "H100"),
        (("demo", "--backends", "numpy,cupi", "--size", "8"), "cupy"),
        (("tune", "--wirte"), "--write"),
        (("conformance", "--level", "quik"), "quick"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_refusal_of_a_misspelt_name_suggests_the_right_one(words, meant, capsys):
    assert f"Did you mean {meant!r}?" in _refusal(capsys, *words)


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
        (
            ["explain", "--shape", "9", "--kernel-shape", "3", "--backend", "torch"],
            2,
            "torch is not installed. Run: pip",
        ),
        (
            ["explain", "--shape", "9", "--kernel-shape", "3", "--method", "torch_conv"],
            2,
            "'torch' is not installed. Use",
        ),
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


def test_an_accelerator_says_whether_it_is_off_or_failed(monkeypatch, capsys):
    def broken():
        raise AcceleratorFailed("native", "loops.so has no symbol x. Build it again")

    monkeypatch.setattr(backends.loader, "level", broken)
    with config.using(accelerators=set(config.ACCELERATORS) - {"scipy"}):
        assert main(["backends"]) == 0
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines() if len(line.split()) > 4}
    assert " off " in lines["scipy"]
    assert "failed: loops.so has no symbol x" in lines["native"]


def test_the_extra_of_every_library_exists():
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = {row.extra for row in LIBRARIES.values()} - {""}
    assert extras <= set(settings["project"]["optional-dependencies"])
    assert [name for name, row in LIBRARIES.items() if not row.extra] == ["numpy"]


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


# ---- progress ----

_OUTPUT = """
import sys
from arrayconv.__main__ import main
if {without_rich}:
    sys.modules["rich"] = None
sys.exit(main({words}))
"""


def _stderr_in_a_terminal(words, without_rich=False):
    """Return what a command prints on a terminal, in a process of its own."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows")
    ours, theirs = pty.openpty()
    code = _OUTPUT.format(words=words, without_rich=without_rich)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    parts = []
    with contextlib.suppress(OSError):  # the end of a terminal, on Linux
        while part := os.read(ours, 1 << 16):
            parts.append(part)
    os.close(ours)
    assert process.wait(60) == 0
    return b"".join(parts).decode()


@pytest.mark.parametrize("without_rich", [False, True])
def test_long_work_shows_its_steps_in_a_terminal(without_rich, grey, tmp_path):
    words = ["filter", grey, "--kernel", "box", "-o", str(tmp_path / "out.png")]
    printed = _stderr_in_a_terminal(words, without_rich)
    assert "writing" in printed  # a bar is drawn ten times a second, and at the end
    assert ("reading ..." in printed) == without_rich


@pytest.mark.parametrize("words", [("filter", "--kernel", "box"), ("demo", "--backends", "numpy", "--image")])
def test_nothing_shows_progress_where_no_terminal_is(words, grey, tmp_path):
    command = [sys.executable, "-m", "arrayconv", *words, grey, "-o", str(tmp_path / "out.png")]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stderr == ""
    assert "reading" not in process.stdout
    assert "\x1b" not in process.stdout


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
        (("--kernel", "box", "--backend", "numpy", "--device", "cuda:0"), "--device of numpy must be one of cpu, got"),
        (("--kernel", "box", "--backend", "dusk"), "must be one of numpy, torch"),
        (("--kernel", "box", "--method", "slow"), "cuda_fft, got 'slow'. See arrayconv filter --help."),
        (("--kernel", "box", "--page", "2"), "grey.png has 1 page, got --page 2"),
    ],
)
def test_filter_refusals(words, part, grey, tmp_path, capsys):
    assert part in _refusal(capsys, "filter", grey, "-o", str(tmp_path / "out.png"), *words)


def test_filter_refuses_files_it_cannot_read_or_write(grey, tmp_path, capsys):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    Image.fromarray(np.ones((4, 4), dtype=np.float32)).save(tmp_path / "float.tiff")
    Image.fromarray(RNG.integers(0, 256, (9, 9, 4), dtype=np.uint8)).save(tmp_path / "rgba.png")
    Image.fromarray(RNG.integers(0, 65536, (9, 9), dtype=np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "half.png").write_bytes(Path(grey).read_bytes()[:600])
    for image, out, part in [
        (tmp_path / "none.png", "out.png", "none.png: No such file or directory"),
        (text, "out.png", "is not an image that pillow can read"),
        (tmp_path / "float.tiff", "out.png", "has pixels of kind 'F'"),
        (tmp_path / "half.png", "out.png", "half.png cannot be read: image file is truncated"),
        (tmp_path, "out.png", "Is a directory"),
        (grey, "out.xyz", "out.xyz cannot be written: pillow has no format for the extension .xyz. Choose .png"),
        (grey, "out", "no format for a name without an extension"),
        (grey, "no/such/out.png", "its folder does not exist"),
        (tmp_path / "rgba.png", "out.jpg", "out.jpg cannot be written: cannot write mode RGBA as JPEG. Choose .png"),
        (tmp_path / "deep.png", "out.jpg", "cannot write mode I;16 as JPEG. Choose .png, for example"),
    ]:
        words = ("filter", str(image), "--kernel", "box", "-o", str(tmp_path / out))
        assert part in _refusal(capsys, *words)


@pytest.mark.parametrize(("extension", "mode"), [("tiff", None), ("gif", "P")])
def test_filter_takes_one_page_of_several(extension, mode, tmp_path, capsys):
    """Never the first one without a word."""
    pages = [Image.fromarray(np.full((9, 9), 50 * number, dtype=np.uint8)) for number in (1, 2, 3)]
    pages = [page.convert(mode) for page in pages] if mode else pages
    path = tmp_path / f"pages.{extension}"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    words = ("filter", str(path), "--kernel", "box", "-o", str(tmp_path / "out.png"))
    assert f"{path} has 3 pages. Choose one with --page, from 1 to 3" in _refusal(capsys, *words)
    assert "has 3 pages, got --page 4" in _refusal(capsys, *words, "--page", "4")
    for number in (1, 2, 3):
        assert np.all(_filtered(path, tmp_path / "out.png", "--kernel", "box", "--page", str(number)) == 50 * number)


def test_filter_refuses_colour_of_16_bits(tmp_path, capsys):
    """pillow reads half of them without a word."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed, which writes such files")
    path = str(tmp_path / "deep.png")
    cv2.imwrite(path, RNG.integers(0, 65536, (9, 9, 3), dtype=np.uint16))
    words = ("filter", path, "--kernel", "box", "-o", str(tmp_path / "out.png"))
    assert "has 16-bit colour or opacity, of which pillow reads 8 bits" in _refusal(capsys, *words)


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
