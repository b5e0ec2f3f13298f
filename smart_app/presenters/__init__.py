"""From what is known to what is said: frozen dataclasses of ready strings, all that a template sees.

Pure: no Flask, no clock, no request. Each presenter is given the `Words` of one language.
"""
