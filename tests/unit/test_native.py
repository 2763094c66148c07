"""The package's own machine code: every level of processors computes the same, nothing is read or written outside."""

import _ctypes
import importlib
import platform
import re
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, config, ndimage, nn
from arrayconv.__main__ import main
from arrayconv._accel import AcceleratorFailed
from arrayconv._accel.native import images, loader, tables
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays import failures
from tests import cases, running
from tests.conftest import make_library
from tests.listing import offenders

ROOT = Path(arrayconv.__file__).parent.parent
DTYPES = ("float32", "float64", "complex64", "complex128", "int8", "int16", "int32", "int64")
REAL = tuple(dtype for dtype in DTYPES if not dtype.startswith("complex"))
FILLS = {"int8": -100, "int16": 40_000, "int32": -(1 << 31), "int64": (1 << 62) + 1}  # some wrap, one is no double
needs_code = pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")


@pytest.fixture(params=["any", "avx2", "avx512"])
def level(request, monkeypatch):
    """Run what is compiled for one level of processors."""
    code = loader.loaded()
    if request.param not in code.levels[: code.level + 1]:
        pytest.skip(f"this processor has {loader.level()}, not {request.param}")
    monkeypatch.setattr(loader, "loaded", lambda: code._replace(level=code.levels.index(request.param)))
    return request.param


def agrees(spec, dtype, method, fill=0):
    library = make_library("numpy")
    plan = running.planned(library, spec, dtype, method, fill=fill)
    assert not isinstance(plan, str), plan
    x, w, exact, bound = running.problem(spec, dtype, fill)  # one for every level
    y = running.run(library, plan, x, w, fill)
    running.assert_form(y, spec, dtype)
    running.assert_within(y, exact, bound)


TILES = {
    f"{rows}-{columns}-{width}": cases.spec(
        cases.axis(8, rows, 8, before=1), cases.axis(width, columns, width, before=1, boundary="reflect")
    )
    for rows in (1, 2, 3, 4, 5, 6)
    for columns in (1, 2, 3, 4)
    for width in (1, 7, 17, 40)
} | {"apart": cases.spec(cases.axis(8, 3), cases.axis(60, 4, 60, dilation=3, before=4))}
ROWS = {  # outputs that fill eight, four and one of the widest vectors and some that do not
    **{f"{n}-outputs": cases.spec(cases.axis(n + 2, 3)) for n in (1, 3, 7, 8, 15, 17, 31, 33, 65, 130, 250, 321)},
    **{  # four together, then one, of the same vectors
        f"{n}-outputs-of-{filters}-filters": cases.spec(cases.axis(n + 2, 3), channels=2, filters=filters)
        for n, filters in ((1, 4), (7, 4), (17, 5), (65, 8), (130, 9))
    },
    "filters-strided": cases.spec(cases.axis(40, 4, stride=2), filters=5, groups=2),
    "strided-by-two": cases.spec(cases.axis(80, 4, stride=2)),
    "strided-by-three": cases.spec(cases.axis(900, 4, stride=3, dilation=2)),
    "channels": cases.spec(cases.axis(20, 3), cases.axis(9, 2), channels=3, filters=2, groups=2, batch=2),
}


def _image(width, filters, *options, channels=3, **more):
    rows, columns = ({**{"before": 1}, **option} for option in (*options, *options)[:2])
    axes = cases.axis(5, 3, 4, **rows), cases.axis(width, 3, width, **columns)
    return cases.spec(*axes, channels=channels, filters=filters, **more)


WINOGRAD = {  # whole tiles and halves, blocks of one row, of several and of a part of a row, one to several vectors
    **{
        f"{rows}-by-{columns}-outputs": cases.spec(
            cases.axis(rows + 2, 3), cases.axis(columns + 2, 3), channels=2, filters=filters
        )
        for rows, columns, filters in ((1, 1, 1), (2, 3, 4), (5, 30, 6), (7, 33, 7), (3, 300, 9))
    },
    **{
        boundary: cases.spec(
            *(cases.axis(n, 3, n + 3, before=2, boundary=boundary) for n in (6, 19)), channels=3, filters=2, batch=2
        )
        for boundary in ("constant", "edge", "reflect", "symmetric", "wrap")
    },
    "groups": cases.spec(*(cases.axis(n, 3, n, before=1) for n in (9, 12)), channels=3, filters=5, groups=2, batch=2),
    "volume": cases.spec(
        cases.axis(6, 4, 3, before=1, stride=2, dilation=2), cases.axis(7, 3, 7, before=1), cases.axis(10, 3),
        channels=2, filters=3, groups=2,
    ),
    **{  # blocks that share planes with the one before, in one or several blocks of rows
        f"deep-{boundary}": cases.spec(
            cases.axis(2, 2, 2, before=1, boundary="wrap"), cases.axis(6, 4, 6, before=3, stride=s, boundary=boundary),
            cases.axis(size, 3, size, before=1), cases.axis(4, 3), channels=2, filters=2, batch=batch,
        )
        for s, boundary, size, batch in ((1, "constant", 4, 2), (2, "reflect", 5, 1), (5, "edge", 140, 1))
    },
    **{  # lines of every step, whole blocks of taps and parts, one to several blocks of tiles
        f"line-of-{taps}-taps": cases.spec(
            cases.axis(n, taps, n + 1, before=taps // 2, boundary=boundary), channels=3, filters=filters, batch=2,
        )
        for taps, n, filters, boundary in (
            (3, 7, 1, "constant"), (3, 300, 5, "reflect"), (4, 9, 6, "wrap"), (5, 40, 7, "edge"),
            (6, 700, 2, "constant"), (7, 8, 4, "symmetric"), (8, 101, 9, "constant"), (9, 2, 1, "wrap"),
            (9, 900, 2, "reflect"),
        )
    },
    "line-of-groups": cases.spec(cases.axis(30, 9, 30, before=4), channels=3, filters=5, groups=2, batch=2),
    "line-of-many-channels": cases.spec(cases.axis(50, 7), channels=90, filters=2),
    "lines-of-an-image": cases.spec(
        cases.axis(7, 5, 4, before=2, stride=2, boundary="wrap"), cases.axis(21, 5, 21, before=2),
        channels=2, filters=3,
    ),
    "lines-of-a-volume": cases.spec(
        cases.axis(6, 2, 5), cases.axis(5, 4, 2, dilation=2, before=2), cases.axis(20, 8),
        channels=2, filters=3, groups=2,
    ),
    "far-outside-a-line": cases.spec(cases.axis(9, 5, 8, before=12)),
    **{  # few outputs in line: tiles of taps
        f"line-of-{taps}-taps-{outputs}-outputs": cases.spec(
            cases.axis(taps + outputs - 3, taps, outputs, before=1, boundary="edge"), filters=filters, batch=batch,
            channels=2,
        )
        for taps, outputs, filters, batch in (
            (4, 3, 1, 1), (9, 3, 17, 2), (10, 4, 5, 7), (31, 5, 70, 3), (11, 6, 2, 1), (40, 7, 3, 9), (17, 8, 2, 2),
            (10, 9, 1, 6), (500, 9, 3, 2),
        )
    },
    "gradient-of-lines": cases.spec(
        cases.axis(9, 6, 5, before=1, boundary="wrap"), cases.axis(30, 27, 5, before=1), filters=3, groups=2, batch=2,
    ),
    "far-outside": cases.spec(cases.axis(9, 3, 8, before=9), cases.axis(9, 3, 9, before=-12, boundary="wrap")),
    "many-channels": cases.spec(cases.axis(8, 3), cases.axis(8, 3), channels=70, filters=2),
    **{  # few outputs: tiles of taps
        f"{rows}-by-{columns}-taps": cases.spec(
            cases.axis(rows + 2, rows, 3, before=1), cases.axis(columns + 2, columns, 3), filters=filters, batch=batch
        )
        for rows, columns, filters, batch in ((4, 5, 1, 1), (7, 4, 17, 2), (5, 30, 70, 7), (9, 33, 4, 9), (4, 99, 2, 3))
    },
    "one-by-two-outputs": cases.spec(
        cases.axis(6, 6, 1), cases.axis(8, 7, 2, boundary="wrap"), channels=2, filters=3
    ),
    "gradient-of-groups": cases.spec(
        *(cases.axis(n, n, 3, before=1, boundary="edge") for n in (9, 12)), channels=3, filters=5, groups=2, batch=2
    ),
    "gradient-of-a-volume": cases.spec(
        cases.axis(6, 4, 3, before=1, stride=2, dilation=2), cases.axis(7, 7, 3, before=1), cases.axis(10, 8, 3),
        channels=2, filters=3, groups=2, batch=2,
    ),
    **{  # planes of a tap that are those of the tap before, in one or several blocks of tiles
        f"gradient-of-a-{name}-volume": cases.spec(
            cases.axis(2, 1, 2), cases.axis(9, 5, 4, before=2, stride=s, dilation=d, boundary="wrap"),
            cases.axis(size, size, 3, before=1), cases.axis(9, 8, 2), filters=2, batch=2,
        )
        for name, s, d, size in (("deep", 1, 1, 7), ("strided", 1, 2, 6), ("dilated", 2, 1, 5), ("long", 1, 4, 40))
    },
}  # fmt: skip
IMAGES = {  # one filter, four or six together, and those that are left, over rows that do and do not fill vectors
    **{f"{n}-filters-{width}": _image(width, n, {}) for n in (1, 5, 9, 13) for width in (4, 33)},
    **{f"strided-{stride}": _image(40, 5, {"stride": stride, "boundary": "reflect"}) for stride in (2, 3)},
    **{f"upsampled-{factor}": _image(9, 6, {"upsample": factor, "boundary": "edge"}) for factor in (2, 3, 5)},
    **{
        f"{outputs}-outputs-of-two-phases": cases.spec(
            cases.axis(9, 3, outputs, upsample=2, before=1), channels=2, filters=4
        )
        for outputs in (1, 2, 3, 16, 17)
    },
    "some-phases-without-taps": _image(9, 4, {"upsample": 4, "dilation": 2, "stride": 3}),
    "resampled": _image(20, 6, {"upsample": 3, "stride": 2, "boundary": "wrap"}, {"upsample": 2, "stride": 3}),
    "dilated": _image(30, 4, {"dilation": 2}, {"dilation": 3, "boundary": "symmetric"}),
    "far-outside": _image(9, 4, {"before": 9}, {"before": -12, "boundary": "wrap"}),
    "volume": cases.spec(
        cases.axis(5, 3, 5, before=1, upsample=2), cases.axis(4, 2), cases.axis(6, 3, stride=2),
        channels=2, filters=6, groups=2, batch=2,
    ),
    "one-axis": cases.spec(cases.axis(70, 5, 70, before=2), channels=3, filters=7, groups=2, batch=2),
    **{
        f"more-outputs-than-are-summed-at-a-time-{n}": cases.spec(cases.axis(n, 2, n, before=1), filters=4)
        for n in (200, 530)  # floats, bytes
    },
    **{
        f"{factor}-phases-of-more-outputs-than-are-summed-at-a-time": cases.spec(
            cases.axis(150, 3, 150 * factor, upsample=factor, before=1), filters=4
        )
        for factor in (2, 3)
    },
}  # fmt: skip
LONG_ROWS = {  # blocks of a row: both copy the samples that their windows share
    f"blocks-of-{name}": cases.spec(
        cases.axis(n, 3, outputs, before=4, boundary="wrap", **steps), channels=channels, filters=filters
    )
    for name, n, outputs, channels, filters, steps in (
        ("a-strided-row", 4200, 2101, 30, 1, {"stride": 2}), ("strided-filters", 6310, 2103, 30, 4, {"stride": 3}),
        ("an-upsampled-row", 1100, 3299, 60, 1, {"upsample": 3}),
        ("a-dilated-row", 4210, 2080, 30, 2, {"stride": 2, "dilation": 3}),
    )
}  # fmt: skip
ALL_IMAGES = {**IMAGES, **LONG_ROWS}
LAYERS = {
    "strided": (nn.conv2d, {"stride": 2}),
    "transposed": (nn.conv_transpose2d, {"stride": 2}),
    "of-filters": (nn.conv2d, {}),
}


@needs_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_every_level_equal_the_definition(dtype, level):
    assert offenders(ROWS, lambda name: agrees(ROWS[name], dtype, "native_loops")) == {}


@needs_code
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_of_every_level_equal_the_definition(dtype, level, ends):
    assert offenders(TILES, lambda name: agrees(TILES[name], dtype, "native_tiles", fill=1.5)) == {}


@needs_code
@pytest.mark.parametrize("dtype", REAL)
def test_images_of_every_level_equal_the_definition(dtype, level, monkeypatch):
    for name, value in (("_BLOCK_BYTES", 1 << 11), ("_MIN_COLUMNS", 8), ("_MIN_ROW", 1)):
        monkeypatch.setattr(images, name, value)  # so that there are several blocks
    fill = FILLS.get(dtype, 1.5)

    def law(name):
        agrees(ALL_IMAGES[name], dtype, "native_images", fill=0 if "sampled" in name else fill)

    assert offenders(ALL_IMAGES, law) == {}


@needs_code
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
@pytest.mark.parametrize("layer", ["strided", "transposed"])
def test_layers_of_integers_run_as_images_and_are_exact(layer, dtype):
    random = np.random.default_rng(8)
    x, w = cases.numbers(random, (2, 4, 12, 14), dtype), cases.numbers(random, (4, 4, 3, 3), dtype)
    function, options = LAYERS[layer]
    y = function(x, w, padding=1, **options)
    assert arrayconv.explain(x, w, padding=1, call=function, **options).method == "native_images"
    np.testing.assert_array_equal(y, function(x, w, padding=1, method="direct", **options))


@needs_code
def test_factors_are_gathered_only_where_phases_change_their_order(monkeypatch):
    heads, packed = [], loader.packed
    monkeypatch.setattr(loader, "packed", lambda *parts: heads.append(parts[0]) or packed(*parts))
    gathered = []
    for layer in LAYERS:
        function, options = LAYERS[layer]
        heads.clear()
        function(np.ones((1, 2, 6, 5)), np.ones((2, 2, 3, 3)), method="native_images", **options)
        gathered.append([head.gathered for head in heads if isinstance(head, tables.CallHead)])
    assert gathered == [[0], [36], [0]]


@needs_code
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are guarded by Linux's mprotect")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("how", ["copied", "apart"])
def test_nothing_is_read_or_written_beyond_the_arrays(side, how):
    command = [sys.executable, "-m", "tests.guarded", side, how]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert process.returncode == 0, process.stderr  # -11: a page was touched that no array is on
    assert int(process.stdout) >= len(ROWS) * len(DTYPES) + len(TILES) * 2 + len(IMAGES) * len(REAL) + len(WINOGRAD) * 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are guarded by Linux's mprotect")
@pytest.mark.parametrize(("side", "byte"), [("before", -1), ("after", 12)])
def test_a_byte_beyond_a_guarded_array_ends_the_process(side, byte):
    code = f"""
import ctypes
from tests.guarded import guarded
x = guarded((3,), "float32", "{side}")
assert x.sum() == 0
ctypes.string_at(x.ctypes.data + {byte}, 1)
"""
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert process.returncode == -signal.SIGSEGV


@needs_code
def test_the_level_is_the_processors():
    code = loader.loaded()
    assert code.levels[0] == "any"
    assert code.level in range(len(code.levels))
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    if platform.machine() == "x86_64" and flags:
        assert (code.level >= 1) == (" avx2 " in flags and " fma " in flags)


@needs_code
def test_tables_have_the_fields_that_the_code_was_compiled_with():
    structs = loader.structs()
    assert {name: struct._fields for name, struct in tables.STRUCTS.items()} == structs


def test_dtypes_of_images_and_tiles_are_those_of_the_source():
    """Their columns of KINDS are read here, since a refusal must not load the library."""
    source = (Path(loader.__file__).parent / "src" / "kinds.h").read_text()
    rows = re.findall(r'X\(\d+, "([^"]+)", \w+, \d+, \w+, \d+, (\d), (\d),', source)
    for column, dtypes in ((1, tables.IMAGE_DTYPES), (2, tables.TILED)):
        assert tuple(name for row in rows for name in row[0].split() if row[column] == "1") == dtypes


@needs_code
def test_every_dtype_that_has_a_sum_is_of_a_kind():
    assert set(loader.loaded().kinds) == set(DTYPES) | {"uint8", "uint16", "uint32", "uint64"}


@needs_code
def test_a_call_imports_no_library():
    code = """
import sys, numpy as np, arrayconv
x = np.ones((64, 64), "float32")
assert arrayconv.explain(x, x[:3, :3], "same").method.startswith("native")
arrayconv.convolve(x, x[:3, :3], "same")
arrayconv.convolve(np.arange(3000), np.arange(5), "same", method="native_loops")
print([name for name in ("scipy", "torch", "jax") if name in sys.modules])
"""
    command = [sys.executable, "-W", "error", "-c", code]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (process.returncode, process.stdout.strip(), process.stderr) == (0, "[]", "")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Look for the code in a place of its own, and clear its caches afterwards."""
    place = tmp_path / "loops.so"
    monkeypatch.setattr(loader, "_PATH", place)
    monkeypatch.setattr(failures, "failures", {})
    _clear_caches()
    yield place
    _clear_caches()


def _clear_caches():
    loader.loaded.cache_clear()
    _accel.installed.cache_clear()
    config.cache_clear()  # cached calls


def test_code_that_cannot_be_loaded_is_replaced_with_one_warning(elsewhere):
    elsewhere.write_bytes(b"no library")
    x, kernel = np.arange(400.0).reshape(20, 20), np.ones((3, 3))
    with pytest.warns(RuntimeWarning, match="the accelerator 'native' failed: .*Build it again.*runs instead"):
        y = arrayconv.convolve(x, kernel, "same", fill_value=7)
    np.testing.assert_allclose(y, arrayconv.convolve(x, kernel, "same", fill_value=7, method="direct"))
    arrayconv.convolve(x, kernel, "same", fill_value=7)  # it is left alone now
    reason = "the accelerator 'native' failed before: it cannot be loaded; it may have been built for another platform"
    with pytest.raises(NotImplementedError, match=reason):
        arrayconv.convolve(x, kernel, "same", method="native_tiles")


def test_filters_run_their_passes_where_the_code_cannot_be_loaded(elsewhere):
    elsewhere.write_bytes(b"no library")
    x = np.arange(400, dtype=np.uint8).reshape(20, 20)
    with pytest.warns(RuntimeWarning, match="the accelerator 'native' failed: .*passes run one by one instead"):
        y = ndimage.gaussian_filter(x, 1)
    with config.using(accelerators=set()):
        np.testing.assert_array_equal(y, ndimage.gaussian_filter(x, 1))
    np.testing.assert_array_equal(y, ndimage.gaussian_filter(x, 1))  # it is left alone now


def test_forcing_code_that_cannot_be_loaded_names_the_way_out(elsewhere):
    elsewhere.write_bytes(b"no library")
    with pytest.raises(RuntimeError, match=r"method 'native_tiles' cannot run: .*Use method='auto'"):
        arrayconv.convolve(np.ones((30, 31)), np.ones((3, 3)), method="native_tiles")


@needs_code
def test_code_of_other_sources_is_refused(elsewhere, monkeypatch):
    elsewhere.symlink_to(Path(loader.__file__).parent / "loops.so")
    interface = loader._INTERFACE
    monkeypatch.setattr(loader, "_INTERFACE", 0)
    with pytest.raises(AcceleratorFailed, match=rf"built from other sources \(interface {interface}, not 0\)"):
        loader.loaded()


@needs_code
@pytest.mark.parametrize("order", "CF")  # remembered as one call, and the long way
def test_without_memory_for_a_copy_the_call_says_so(monkeypatch, order):
    code = loader.loaded()
    monkeypatch.setattr(loader, "loaded", lambda: code._replace(blocks=lambda *arguments: 1, call=lambda *arguments: 1))
    x = np.ones((30, 32), order=order)
    with pytest.raises(MemoryError, match=r"convolution: no memory for a copy of [a-z0-9]+ samples of float64"):
        arrayconv.convolve(x, np.ones((3, 3)), "same", method="native_tiles")


def _of_another_processor(place):
    """Write the library as it would be for a processor that this machine has not."""
    library = bytearray((Path(loader.__file__).parent / "loops.so").read_bytes())
    machine = 0xB7 if library[18] == 0x3E else 0x3E  # ELF's number of AArch64, and of x86-64
    place.write_bytes(library[:18] + bytes([machine]) + library[19:])


def _of_another_interface(place):
    """Compile a library of an interface before this one."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip("there is no C compiler")
    source = place.with_suffix(".c")
    source.write_text("int arrayconv_interface(void) { return 3; }\nlong long arrayconv_sources(void) { return 0; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(place)], check=True, timeout=60)


elf = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the library is no ELF file")
BROKEN = {  # what is in the library's place, and the reason in words
    "nothing": (lambda place: None, "not built: there was no C compiler, or it failed, when the package was installed"),
    "text": (lambda place: place.write_bytes(b"no library"), "it cannot be loaded; it may have been built for another"),
    "a-library-of-another": (
        lambda place: place.symlink_to(_ctypes.__file__),
        "it cannot be loaded; it may have been built for another platform: ",
    ),
    "another-interface": (_of_another_interface, "it was built from other sources (interface 3, not"),
}
BROKEN = {name: pytest.param(*row, id=name) for name, row in BROKEN.items()} | {
    "another-processor": pytest.param(
        _of_another_processor, "it cannot be loaded; it may", id="another-processor", marks=[elf, needs_code]
    )
}


@pytest.mark.parametrize(("put", "reason"), BROKEN.values())
def test_explain_and_backends_say_why_it_cannot_be_used(elsewhere, capsys, put, reason):
    put(elsewhere)
    with _warning_of(elsewhere):
        plan = arrayconv.explain((256, 256), (3, 3), "same", dtype="float32")
    assert plan.method in ALGORITHMS
    refusals = {row.name: row.refusal for row in plan.candidates}
    for method in ("native_loops", "native_tiles", "native_images"):
        assert reason in refusals[method]
    _clear_caches()
    assert main(["backends"]) == 0
    assert reason.split("(")[0].strip() in " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(("put", "reason"), BROKEN.values())
def test_without_it_other_methods_compute(elsewhere, put, reason):
    put(elsewhere)
    x, kernel = np.arange(2000.0).reshape(40, 50), np.ones((3, 3))
    with _warning_of(elsewhere):
        y = arrayconv.convolve(x, kernel, "valid")
    np.testing.assert_allclose(y, arrayconv.convolve(x, kernel, "valid", method="direct"), rtol=1e-13)


def _warning_of(place):
    """Return what expects one warning where there is a library that fails, and none where there is no library."""
    if not place.exists():
        return nullcontext()
    return pytest.warns(RuntimeWarning, match="the accelerator 'native' failed: .* instead")


@pytest.mark.parametrize(("removed", "now"), [("numba", "native_loops"), ("numba_tiles", "native_tiles")])
def test_the_error_of_a_removed_method_names_its_replacement(removed, now):
    with pytest.raises(
        ValueError, match=rf"^convolve: `method` must be one of .* Got '{removed}'. It was removed: use '{now}'."
    ):
        arrayconv.convolve([1.0, 2.0], [1.0], method=removed)


def test_switched_off_it_supports_nothing():
    with config.using(accelerators=set(config.ACCELERATORS) - {"native"}):
        plan = arrayconv.explain((256, 256), (3, 3), "same", dtype="float32")
    refusals = {row.name: row.refusal for row in plan.candidates}
    assert "switched off" in refusals["native_tiles"]
    assert "switched off" in refusals["native_loops"]


hook = pytest.mark.skipif(not (ROOT / "hatch_build.py").exists(), reason="the sources are not here")


@pytest.fixture
def build(monkeypatch):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("hatch_build")


@hook
@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("no-such-compiler", "no-such-compiler failed: "),
        (f"{sys.executable} -c 'raise SystemExit(3)'", " failed: exit status 3"),
    ],
)
def test_a_compiler_that_fails_leaves_no_library(build, monkeypatch, tmp_path, command, problem):
    monkeypatch.setenv("CC", command)
    assert problem in build.compile_loops(tmp_path / "loops.so")
    assert list(tmp_path.iterdir()) == []


def _built(build, tmp_path, version):
    """What the hook does to a build, and what it says."""
    warnings, lines, data = [], [], {"force_include": {}, "pure_python": True}
    says = {"display_warning": staticmethod(warnings.append), "display_info": staticmethod(lines.append)}
    app = type("App", (), says)
    builder = build.LoopsHook(str(ROOT), {}, None, None, str(tmp_path), "wheel", app)
    builder.initialize(version, data)
    libraries = [Path(path) for path in data["force_include"]]
    contents = [path.read_bytes() for path in libraries]
    builder.finalize(version, data, "")
    assert not any(path.exists() for path in libraries)
    assert len(warnings + lines) == 1
    assert warnings or re.fullmatch(
        r"The loops are compiled by .*\. `python -m arrayconv backends` shows it\.", lines[0]
    )
    return data, contents, warnings


COMPILERS = {
    "none": (None, "there is no C compiler"),
    "missing": ("no-such-compiler", "no-such-compiler failed"),
    "failing": (f"{sys.executable} -c 'raise SystemExit(3)'", "exit status 3"),
}


@pytest.fixture
def checkout(build, monkeypatch, tmp_path):
    """A library in place of the one the checkout's editable install runs on."""
    place = tmp_path / "checkout" / "loops.so"
    place.parent.mkdir()
    place.write_bytes(b"what works")
    monkeypatch.setattr(build, "LIBRARY", place)
    monkeypatch.setattr(build, "ROOT", place.parent)
    monkeypatch.setattr(build.compile_loops, "__defaults__", (place, build.FLAGS))
    return place


def _compiler(monkeypatch, tmp_path, command):
    if command is None:
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setenv("CC", command)


@hook
@pytest.mark.parametrize("version", ["standard", "editable"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_build_without_a_compiler_is_pure_and_leaves_the_checkouts_library(
    build, checkout, monkeypatch, tmp_path, compiler, version
):
    command, problem = COMPILERS[compiler]
    _compiler(monkeypatch, tmp_path, command)
    data, _, warnings = _built(build, tmp_path, version)
    assert data == {"force_include": {}, "pure_python": True}
    assert problem in warnings[0]
    assert warnings[0].endswith("The standard-only methods are used instead.")
    assert checkout.read_bytes() == b"what works"
    assert list(checkout.parent.iterdir()) == [checkout]


# A compiler that writes one letter to its target, the last argument but one.
WRITES = f"{sys.executable} -c 'import pathlib, sys; pathlib.Path(sys.argv[-2]).write_text(chr(110))'"


@hook
@pytest.mark.parametrize("version", ["standard", "editable"])
def test_a_wheel_is_compiled_beside_the_checkout_and_an_editable_install_in_it(
    build, checkout, monkeypatch, tmp_path, version
):
    _compiler(monkeypatch, tmp_path, WRITES)
    data, contents, warnings = _built(build, tmp_path, version)
    assert warnings == []
    if version == "editable":
        assert (checkout.read_bytes(), data["force_include"]) == (b"n", {})
    else:
        assert checkout.read_bytes() == b"what works"
        assert (contents, list(data["force_include"].values())) == ([b"n"], ["loops.so"])
        assert not data["pure_python"]
        assert data["tag"].startswith("py3-none-")
        assert not data["tag"].startswith("py3-none-linux"), "which no index takes"
    assert list(checkout.parent.iterdir()) == [checkout]


@hook
def test_a_wheel_is_named_after_its_target_or_the_oldest_system_that_has_its_symbols(build, monkeypatch, tmp_path):
    library = tmp_path / "loops.so"
    monkeypatch.setattr(build, "platform_tags", lambda: iter(["linux_x86_64", "manylinux_2_41_x86_64"]))
    for symbols, version in ((b"\0GLIBC_2.2.5\0GLIBC_2.14\0", 17), (b"\0GLIBC_2.2.5\0GLIBC_2.33\0", 33)):
        library.write_bytes(symbols)
        assert build.platform_tag(library) == f"manylinux_2_{version}_x86_64"
    for name, tag in build.TARGETS.items():
        monkeypatch.setenv("ARRAYCONV_TARGET", name)
        assert build.platform_tag(library) == tag
        assert build.platform_flags(["zig", "cc"])[-2:] == ["-target", name]
        assert ("-fPIC" in build.platform_flags(["zig", "cc"])) == ("windows" not in name)


@hook
def test_a_target_that_cannot_be_compiled_is_an_error_and_no_pure_wheel(build, checkout, monkeypatch, tmp_path):
    monkeypatch.setenv("ARRAYCONV_TARGET", "vax")
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(ValueError, match=r"ARRAYCONV_TARGET must be one of x86_64-linux-gnu.2.17, .*Got 'vax'"):
        build.compile_loops()
    monkeypatch.setenv("ARRAYCONV_TARGET", "x86_64-linux-musl")
    with pytest.raises(RuntimeError, match="the wheel for x86_64-linux-musl is not built: no-such-compiler failed"):
        _built(build, tmp_path, "standard")


@hook
@pytest.mark.parametrize("command", ["zig cc", "python -m ziglang cc"])
def test_zig_is_refused_without_a_target_since_it_compiles_for_this_processor(build, monkeypatch, command):
    monkeypatch.setenv("CC", command)
    monkeypatch.delenv("ARRAYCONV_TARGET", raising=False)
    with pytest.raises(ValueError, match="zig compiles for this processor alone unless ARRAYCONV_TARGET names"):
        build.compile_loops()


@needs_code
@pytest.mark.parametrize("change", ["changed", "added"])
def test_code_of_sources_that_have_changed_since_is_refused(elsewhere, monkeypatch, tmp_path, change):
    sources = Path(loader.__file__).parent / "src"
    for path in (*sources.glob("*.[ch]"), sources.parent / "loops.so"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(loader, "_SOURCES", tmp_path)
    assert loader.loaded().kinds
    _clear_caches()
    with (tmp_path / ("rows.h" if change == "changed" else "new.h")).open("a") as file:
        file.write("/* another loop, the same tables */\n")
    with pytest.raises(AcceleratorFailed, match=r"other sources than those beside it. Build it again: .*make"):
        loader.loaded()


@needs_code
@hook
def test_the_build_and_the_package_agree_on_the_sources(build):
    assert build.sources() == loader._sources()


@needs_code
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_finite_unless_one_is_not(dtype):
    finite, info = loader.loaded().finite, np.finfo(dtype)
    numbers = np.tile(np.array([0, -0.0, info.max, info.min, info.tiny, -info.smallest_subnormal], dtype), 7)
    assert finite(numbers.ctypes.data, numbers.size, numbers.itemsize) == 1
    assert finite(numbers.ctypes.data, 0, numbers.itemsize) == 1
    for place in range(numbers.size):
        for bad in (np.nan, np.inf, -np.inf):
            mixed = numbers.copy()
            mixed[place] = bad
            assert finite(mixed.ctypes.data, mixed.size, mixed.itemsize) == 0, (place, bad)
            assert finite(mixed.ctypes.data, place, mixed.itemsize) == 1, (place, bad)
