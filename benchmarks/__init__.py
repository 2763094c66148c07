"""What the package costs, measured against what its users would call instead.

problems    the table of problems
contenders  ours, and the peers in `peers/`, each checked against the other before it is timed
timing      interleaved rounds, and the machine's ceilings
run         times one array library: python -m benchmarks.run --library numpy
report      ratios, groups of problems, the tables that `run` prints
page        docs/benchmarks.md, `pictures` and, by `figures`, those of all other pages, from the files of results
doors       every public function against what it imitates: python -m benchmarks.doors --library numpy
remembered  the overhead of a bound call, by method and door, with a profile
picks       which method 'auto' picks over a grid of problems, and the changes between two commits
streams     pushes of a long kernel; chunked, distributed: graphs of Dask arrays, and workers that run them
training    the network of example 13; installs: the sizes of what `make` installs
provenance  what each result says of its commit, its machine, and whether other programs ran
calibrate   writes arrayconv/_costs/cost_table.py
tiles       times by which the sizes of cache blocks were set
"""
