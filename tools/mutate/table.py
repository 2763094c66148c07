"""Which modules are mutated, and the tests that run first for each: those of its own subject."""

UNIT, PROPERTY = "tests/unit", "tests/property"
DEFINITION = f"{PROPERTY}/test_definition.py"
RULES = (f"{UNIT}/test_plan_rules.py", f"{UNIT}/test_call_rules.py")
EINCONV = (*RULES, f"{UNIT}/test_einconv.py", "conformance/test_einconv.py")
SIGNAL = (f"{PROPERTY}/test_signal_calls.py", f"{UNIT}/test_cache_imitations.py")
AXES, GRADIENT_CALLS = f"{UNIT}/test_random_axes.py", f"{UNIT}/test_gradient_problems.py"
GRADIENTS = (AXES, GRADIENT_CALLS, f"{PROPERTY}/test_adjoint.py", f"{PROPERTY}/test_gradients.py")

# Module, or folder of modules -> the files of tests that run first.
MODULES: dict[str, tuple[str, ...]] = {
    "arrayconv/_problem/problem.py": (f"{UNIT}/test_layout.py", "conformance/test_values.py"),
    "arrayconv/_problem/layout.py": (f"{UNIT}/test_layout.py", *EINCONV),
    "arrayconv/_problem/boundary.py": (f"{UNIT}/test_boundary.py", f"{UNIT}/test_split.py"),
    "arrayconv/_problem/split.py": (*RULES, f"{UNIT}/test_split.py", AXES, DEFINITION),
    "arrayconv/_problem/partition.py": (f"{UNIT}/test_split.py", AXES, DEFINITION),
    "arrayconv/_problem/gradient.py": GRADIENTS,
    "arrayconv/_problem/gather.py": (AXES, f"{UNIT}/test_split.py", DEFINITION, f"{PROPERTY}/test_distances.py"),
    "arrayconv/_problem/axes.py": (*RULES, f"{UNIT}/test_shapes.py", f"{UNIT}/test_lags.py", f"{UNIT}/test_errors.py"),
    "arrayconv/_problem/positional.py": (*RULES, f"{UNIT}/test_shapes.py", "conformance/test_values.py"),
    "arrayconv/_problem/fast_lengths.py": (f"{UNIT}/test_transform.py",),
    "arrayconv/_problem/chain.py": (
        GRADIENT_CALLS, f"{PROPERTY}/test_fused_filters.py", f"{PROPERTY}/test_fused_passes.py"
    ),
    "arrayconv/_plan/rank.py": (
        *RULES, f"{UNIT}/test_select.py", f"{UNIT}/test_workspace.py", f"{UNIT}/test_parallel.py"
    ),
    "arrayconv/_plan/plan.py": (*RULES, f"{UNIT}/test_select.py", f"{UNIT}/test_explain.py"),
    "arrayconv/_run/steps.py": (*RULES, f"{UNIT}/test_split.py", f"{UNIT}/test_parallel.py", DEFINITION),
    "arrayconv/_run/pieces.py": (*RULES, f"{UNIT}/test_pieces.py",),
    "arrayconv/_run/canonical.py": (f"{UNIT}/test_layout.py", *EINCONV),
    "arrayconv/_run/operands.py": (*RULES, DEFINITION, f"{UNIT}/test_memory.py"),
    "arrayconv/_calls/binding.py": (
        *RULES, f"{UNIT}/test_cache.py", f"{UNIT}/test_out.py", f"{UNIT}/test_cache_outputs.py"
    ),
    "arrayconv/_nn/shapes.py": (*RULES, f"{UNIT}/test_nn.py", f"{UNIT}/test_errors.py"),
    "arrayconv/_signal/shapes.py": (*RULES, *SIGNAL, "tests/parity/test_signal.py", f"{UNIT}/test_errors.py"),
    "arrayconv/_einconv": EINCONV,
}  # fmt: skip

# C source -> the files of tests that run for its mutants; those of NATIVE for every other source.
NATIVE = (f"{UNIT}/test_native_sums.py", f"{UNIT}/test_native.py", f"{UNIT}/test_native_tiles.py",
          f"{UNIT}/test_native_loops.py", f"{UNIT}/test_native_dots.py", f"{UNIT}/test_slabs.py",
          DEFINITION)  # fmt: skip
FUSED = (f"{UNIT}/test_native_sums.py", f"{PROPERTY}/test_fused_filters.py", f"{PROPERTY}/test_fused_passes.py",
         f"{UNIT}/test_native.py")  # fmt: skip
XLA = (f"{UNIT}/test_xla.py",)
LOOPS = {
    "filters.h": FUSED, "filter_rows.h": FUSED, "filter_blocks.h": FUSED, "window_sums.h": FUSED, "row_sums.h": FUSED,
    "sums_float64.h": FUSED, "sums_whole.h": FUSED, "xla.h": XLA, "xla_ffi.h": XLA, "xla_filters.h": XLA,
    "team.h": (f"{UNIT}/test_team.py", f"{UNIT}/test_xla.py"),
}  # fmt: skip


def loop_tests(file: str) -> tuple[str, ...]:
    """Return the files of tests of a C source."""
    return LOOPS.get(file.rpartition("/")[2], NATIVE)


# All tests that may run for a mutant: quick ones that call NumPy arrays. Tests of other libraries take long and detect
# little more, and XLA can't compile in a forked child.
FILES = tuple(
    [f"{UNIT}/test_{name}.py" for name in (
        "boundary", "split", "random_axes", "gradient_problems", "plan_rules", "call_rules", "layout", "shapes", "lags",
        "select", "workspace", "parallel", "pieces", "transform", "growth", "out", "cache", "cache_outputs",
        "cache_doors", "cache_imitations", "errors", "nn", "einconv", "explain", "explain_calls", "windows", "memory",
        "operands", "config",
    )] + [f"{PROPERTY}/test_{name}.py" for name in (
        "definition", "adjoint", "gradients", "laws", "fused_filters", "fused_passes", "signal_calls",
        "nothing", "distances", "nonfinite", "separable",
    )] + [f"conformance/test_{name}.py" for name in ("values", "lags", "einconv", "boundaries")]
    + ["tests/parity/test_signal.py"]
)  # fmt: skip
EXCLUDED_WORDS = ("torch", "jax", "compile", "array_api_strict", "keras", "cupy", "dask")  # in a test's id
CONFORMANCE = "conformance/test_lags.py"  # runs always: with a file of the suite pytest knows these options
EXAMPLES = 10  # of a property, at most
ROWS = 12  # of a test with many, chosen at random
TEST_SECONDS = 2  # a test that takes longer is left out
OPTIONS = ("--backend", "numpy", "--max-examples", "3", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly",
           "-q", "--capture=no", "-W", "ignore")  # fmt: skip
