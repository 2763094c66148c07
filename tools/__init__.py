"""Developers' tools beside the tests.

comparison tries what arrayconv and its neighbours do: python -m tools.comparison --write
gpu_check  checks a machine with a GPU: python -m tools.gpu_check --out DIR
mutate     changes the package in one place at a time, and sees whether a test fails: python -m tools.mutate
parity     runs SciPy's own tests on our functions: python tools/parity.py
site       builds the documentation's site: python -m tools.site
parts      runs the parts of `make test` and sums them up
"""
