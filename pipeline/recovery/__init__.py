"""The ledger lost, or brought back from a copy: make it agree with what is on the disk.

A copy is older than the lake. What it knows and the lake no longer has (merged since, and deleted)
is taken out of the manifest and read again from the raw files. What the lake has and it does not
know belongs to nobody, and is left to gc once all that it holds is visible again. Where there is no
copy, everything is read again. Raw files that are gone cannot be: such rows are counted, and named.
"""
