"""What `claims.py` measures: a module for each kind of sentence, which registers its claims when it is imported."""

from claimed import judged, learned, rows, splits
from claimed.registry import CLAIMS, Claim, measure

__all__ = ["CLAIMS", "Claim", "judged", "learned", "measure", "rows", "splits"]
