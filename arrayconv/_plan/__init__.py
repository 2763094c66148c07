"""Which method runs which piece, decided from integers alone: `rank` orders the methods, `plan` cuts the problem.

Nothing here needs an array, so a plan can be printed, cached and compared. `_run` runs it.
"""
