"""The tables for auditors: what the compiler makes of a ViewDefinition, and what it refuses.

python -m tests.tables        writes docs/tables.md from profiles/views/
"""
