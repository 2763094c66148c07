"""What a target claims is run, what it does not claim is skipped and counted, and no claim is invented."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from .. import claims, targets
from ..backends import Unavailable
from ..required import of_arrays, restricted
from . import two_functions
from .test_runner import SUITE, run

TARGET = f"{__package__}.two_functions"
X, KERNEL = np.ones(5), np.ones(3)
Skipped = pytest.skip.Exception


def _module(**attributes):
    return SimpleNamespace(**attributes)


def test_arrayconv_claims_everything_and_calls_are_not_wrapped():
    import arrayconv

    target = targets.load("arrayconv")
    assert target.claims == claims.ALL
    assert target.convolve is arrayconv.convolve


def test_a_function_that_arrayconv_lacks_fails():
    target = targets.wrap(_module(kernels=None), "arrayconv")
    with pytest.raises(AssertionError, match="lags is not defined in arrayconv"):
        target.lags(3, 2)
    with pytest.raises(AssertionError, match=r"box is not defined in arrayconv\.kernels"):
        target.kernels.box(3)


def test_claims_are_discovered_from_functions_and_parameters():
    def convolve(x, kernel, mode="full", *, stride=1):
        return x

    words = claims.discovered(_module(convolve=convolve))
    assert {"convolve", "stride", "mode:same", "integers", "2d"} <= words
    assert words.isdisjoint({"correlate", "lags", "einconv", "kernels", "dilation", "boundary:wrap", "fill", "out"})
    assert words.isdisjoint({"errors", "signatures"})


def test_parameters_by_name_of_any_kind_claim_every_option():
    def convolve(x, kernel, **options):
        return x

    assert set(claims.OPTIONS) - {"boundary", "fill_value", "lags"} <= claims.discovered(_module(convolve=convolve))


def test_the_whole_interface_is_discovered_as_everything():
    import arrayconv

    assert claims.discovered(arrayconv) == claims.ALL


def test_an_unclaimed_function_skips():
    target = targets.wrap(two_functions, "two")
    for name in ("lags", "explain", "einconv", "kernels"):
        with pytest.raises(Skipped, match=f"not claimed: {name}"):
            getattr(target, name)
    with pytest.raises(AttributeError):
        _ = target.nothing


def test_a_claimed_function_that_is_not_defined_fails():
    target = targets.wrap(_module(CLAIMS={"convolve", "mode:full", "1d", "float64"}), "empty")
    with pytest.raises(AssertionError, match="convolve is not defined in empty"):
        target.convolve(X, KERNEL)


def test_unclaimed_options_skip_and_their_defaults_are_not_passed():
    target = targets.wrap(two_functions, "two")
    assert target.convolve(X, KERNEL, stride=1, boundary="constant", accuracy="normwise").tolist() == [
        1,
        2,
        3,
        3,
        3,
        2,
        1,
    ]
    with pytest.raises(Skipped, match="not claimed: boundary:wrap, stride"):
        target.convolve(X, KERNEL, stride=2, boundary="wrap")


@pytest.mark.parametrize(
    ("x", "kernel", "options", "words"),
    [
        ((5,), (3,), {}, {"mode:full", "1d"}),
        ((5,), (2,), {"mode": "same"}, {"mode:same", "1d", "even"}),
        ((5,), (3,), {"lags": 2}, {"1d", "lag_ranges"}),
        ((5, 4), (3,), {"axes": 1}, {"mode:full", "1d", "axes"}),
        ((5, 4), (3, 1), {"stride": (1, 2)}, {"mode:full", "2d", "stride", "per_axis"}),
        ((5,), (3,), {"dilation": 3}, {"mode:full", "1d", "dilation", "longer_kernel"}),
        ((5,), (7,), {"boundary": "wrap"}, {"mode:full", "1d", "boundary:wrap", "boundary:wide"}),
        (
            (5, 4),
            (1, 1),
            {"boundary": ("wrap", "edge")},
            {"mode:full", "2d", "boundary:wrap", "boundary:edge", "per_axis"},
        ),
        ((5,), (3,), {"fill_value": np.nan}, {"mode:full", "1d", "fill"}),
        ((0,), (3,), {}, {"mode:full", "1d", "empty", "longer_kernel"}),
        ((2,) * 5, (1,) * 5, {"method": "fft"}, {"mode:full", "nd", "method"}),
    ],
)
def test_a_call_requires(x, kernel, options, words):
    assert of_arrays("convolve", np.zeros(x), np.zeros(kernel), options) == words | {"convolve", "float64"}


def test_dtypes_and_lists_are_required():
    small = np.zeros(3, "int8")
    assert of_arrays("correlate", small, KERNEL, {}) >= {"integers", "float64", "mixed"}
    assert of_arrays("correlate", KERNEL.astype("float16"), KERNEL.astype("float16"), {}) >= {"half"}
    assert "lists" in of_arrays("correlate", small, [1, 2], {})


def test_random_options_are_restricted_to_the_claims():
    options = {"mode": "same", "stride": (2, 1), "dilation": (1, 1), "boundary": ("wrap", "constant")}
    assert restricted({"dilation"}, options) == {"mode": "same", "dilation": (1, 1)}
    assert restricted(claims.ALL, options) == options


def test_every_parameter_with_a_claim_is_one_of_the_interface():
    from ..cases.signatures import COMMON, GEOMETRY

    assert set(claims.OPTIONS) == {*GEOMETRY, *COMMON, "lags", "out"}
    assert set().union(*claims.PARAMETERS.values()) <= claims.ALL


@pytest.mark.parametrize("name", targets.SHIPPED)
def test_adapters_claim_words_of_the_vocabulary(name):
    try:
        target = targets.load(name)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert {"convolve"} <= target.claims < claims.ALL
    assert target.version != "unknown"


def test_an_unknown_claim_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "strider.py").write_text("CLAIMS = {'convolve', 'strides'}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = run(f"{SUITE}/test_lags.py", "--target", "strider")
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    text = process.stdout + process.stderr
    assert "--target: strider.CLAIMS contains 'strides'. Known: convolve, correlate, " in text
    assert "Traceback" not in text


def test_totals_count_what_is_not_claimed(tmp_path):
    path = tmp_path / "report.json"
    tests = (f"{SUITE}/test_values.py", f"{SUITE}/test_signatures.py", "-k", "test_by_hand or test_kernel")
    process = run(*tests, "--target", TARGET, "--report", str(path))
    assert process.returncode == 0, process.stdout
    report = json.loads(path.read_text())
    skipped = [row for row in report["tests"] if row["outcome"] == "skipped"]
    assert {row["outcome"] for row in report["tests"]} == {"passed", "skipped"}
    not_claimed = [row["tests"] for row in report["not_run"] if row["reason"].startswith("not claimed: ")]
    assert sum(not_claimed) == len([row for row in skipped if row["why"].startswith("not claimed: ")]) > 10
    assert f"conformance: {sum(not_claimed)} tests not claimed" in process.stdout
    assert "11 signatures" in process.stdout


def test_two_functions_have_a_profile_without_failures():
    process = run(f"{SUITE}/test_values.py", f"{SUITE}/test_lags.py", "--target", TARGET)
    assert process.returncode == 0, process.stdout
    passed = int(process.stdout.strip().splitlines()[-1].split(" passed")[0].split()[-1])
    assert passed > 60
