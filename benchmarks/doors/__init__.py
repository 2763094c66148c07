"""Every public function of every door, timed against what it imitates and what users would call instead.

rows     what a row is, and its operands
table    the rows: sizes and dtypes of the default grid, of `--quick` and of `--full`
ours     our call of a row, with gradients where the row has them, and the time that `explain` predicts
peers    the imitated functions and the peers, by library
field    the contenders of a row, each compared with ours before it is timed
report   ratios by door, where peers are ahead, and predictions that are off
predict  today's predictions for the times of an earlier run
run      python -m benchmarks.doors --library numpy --json benchmarks/results/doors-numpy.json
page     the sections of docs/benchmarks.md
"""
