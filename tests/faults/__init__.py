"""The fault matrix: each request of each flow, each way in which a hospital may get it wrong, and what becomes of it.

    python -m tests.faults        runs all cells and writes docs/faults.md

`places.py` says which request of which flow, `answers.py` what goes wrong with it, `invariants.py` what must hold after
each cell whatever it came to. What it came to is the table of the document, and a test a cell compares.
"""
