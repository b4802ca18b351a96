"""Training within a budget.

Nothing is imported here on purpose: whoever needs a plan must not load a deep learning library.
"""
