"""The worker: a process that does one task of a run.

It knows the run folder and the home around it, and nothing of a server, a database or a browser.
"""
