"""What the package costs, measured against what its users would call instead.

problems    the table of problems
contenders  ours, and the peers in `peers/`, each checked against the other before it is timed
timing      interleaved rounds, and the machine's ceilings
run         times one array library: python -m benchmarks.run --library numpy
report      ratios, groups of problems, the tables that `run` prints
page        docs/benchmarks.md, and `pictures`, from the JSON that `run` writes
overhead    a warm call on tiny arrays, with a profile
calibrate   writes arrayconv/_cost_table.py
tiles       where the sizes of cache blocks come from
"""
