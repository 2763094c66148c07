"""Which method runs which piece, decided from integers alone: `rank` orders the methods, `plan` cuts the problem.

No array comes in here, so a plan can be printed, cached and compared. `_run` runs it.
"""
