"""Plain feed-forward networks, several side by side: the family in which every setting can be chosen.

AutoGluon knows the family as soon as this package has been imported.
"""

from dlreg_core.networks.feedforward.model import KEY, FeedForwardModel, register

__all__ = ["KEY", "FeedForwardModel", "register"]

register()
