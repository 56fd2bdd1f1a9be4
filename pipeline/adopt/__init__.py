"""Take over an existing Parquet lake: every row of it gets a place, and a count that says which.

``lake`` finds the files, ``fit`` brings their columns to our types, ``place`` says which raw file
each row came from, ``convert`` writes, ``run`` commits. From there on the rows are like any others.
"""
