"""The check for a machine with a GPU: python -m tools.gpu_check --out DIR.

cases       the table of calls
machine     a library on its device
checks      what is compared: one call, the table, the conformance suite
timing      our calls beside the library's own
report      the verdict, the tables, the facts of the machine
__main__    the phases, each in a process of its own
"""
