"""The stand-in's functions take no keyword that CuPy's lack, and its arrays have no member that CuPy's lack.

CuPy itself is compared in another process, where the stand-in is not in its place.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cuda.standin import creation, elementwise, fft
from tests.cuda.standin.array import ndarray

ROOT = Path(__file__).parents[2]
OURS = {"values"}  # members of the stand-in's arrays for tests
CHECK = """
import inspect, json, sys
try:
    import cupy
    import cupyx.scipy.fft
except ImportError:
    print("null")
    sys.exit()
functions, members = json.loads(sys.stdin.read())
wrong = [name for name in members if not hasattr(cupy.ndarray, name)]
for name, parameters in functions.items():
    try:
        module = cupyx.scipy.fft if name.startswith("cupyx") else cupy
        genuine = inspect.signature(getattr(module, name.rpartition(".")[2])).parameters
    except (ValueError, TypeError):  # a ufunc
        continue
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in genuine.values()):
        wrong += [f"{name}({parameter})" for parameter in parameters if parameter not in genuine]
print(json.dumps(wrong))
"""
POSITIONAL = {  # parameters that callers pass by position, under another name in CuPy
    "arange(start)",
    "dot(x1)",
    "dot(x2)",
    "empty_like(prototype)",
    "matmul(x1)",
    "matmul(x2)",
    "reshape(shape)",
    "result_type(arrays_and_dtypes)",
}


def parameters(function):
    import inspect

    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    return [name for name, one in inspect.signature(function).parameters.items() if one.kind not in kinds]


def test_every_keyword_and_member_is_cupys():
    functions = {
        name: parameters(function)
        for name, function in {**creation.FUNCTIONS, **elementwise.FUNCTIONS}.items()
        if callable(function) and name != "isdtype"  # the standard's, which array_api_compat brings
    }
    functions |= {f"cupyx.scipy.fft.{name}": parameters(function) for name, function in fft.SCIPY_FUNCTIONS.items()}
    members = [name for name in vars(ndarray) if not name.startswith("_") and name not in OURS]
    process = subprocess.run(
        [sys.executable, "-c", CHECK],
        input=json.dumps([functions, members]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    wrong = json.loads(process.stdout)
    if wrong is None:
        pytest.skip("CuPy is not installed")
    assert set(wrong) - POSITIONAL == set()
