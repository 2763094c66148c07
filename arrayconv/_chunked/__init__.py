"""Calls on Dask arrays as graphs: one task per chunk of the result, which reads the chunks that its windows cover.

`graph` builds the array, from a problem's integers and the chunks of the operands alone; `operand` says which parts of
which chunks a task reads, and `strips` which of these parts are cut by tasks of their own; `tasks` is what a worker
runs, plain functions of plain data. How a chunk is convolved belongs to `_calls`, which passes its function down.
Nothing here plans, and Dask is imported when one of its arrays arrives.
"""
