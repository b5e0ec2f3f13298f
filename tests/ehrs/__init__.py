"""The whole flow on each kind of EHR that the sandbox can be, to what its ladders allow.

python -m tests.ehrs        runs all and writes docs/ehrs.md
"""
