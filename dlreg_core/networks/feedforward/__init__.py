"""Plain feed-forward networks, several side by side: the family in which every setting can be chosen.

AutoGluon knows the family as soon as its ``model`` has been imported.
"""

from dlreg_core.networks.feedforward.feedforward_family import FEEDFORWARD

__all__ = ["FEEDFORWARD"]
