"""The check for a machine with a GPU: python -m tools.gpu_check --out DIR.

driver      the cards, by NVIDIA's driver and nothing else
cases       the table of calls
machine     a library on its device, its detector of waits and its events
checks      what is compared: one call, the table, waits, the conformance suite
sanitizers  kernels under compute-sanitizer, streams under torch's sanitizer; few, the calls that run there
bench       our calls beside the library's own and beside the card's ceilings
report      the verdict, the tables, the facts of the machine
__main__    the phases, each in a process of its own
"""
