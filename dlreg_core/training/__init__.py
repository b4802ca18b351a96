"""Training within a budget: the only importer of AutoGluon.

Nothing is imported here on purpose: ``catalogue`` is read by pages that must not load a deep learning library.
"""
