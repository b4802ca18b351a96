"""The pre-trained families, in the order in which they are shown."""

from dlreg_core.networks.pretrained_families.mitra import MITRA
from dlreg_core.networks.pretrained_families.nori import NORI
from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained
from dlreg_core.networks.pretrained_families.tabdpt import TABDPT
from dlreg_core.networks.pretrained_families.tabicl import TABICL
from dlreg_core.networks.pretrained_families.tabpfn import TABPFN

PRETRAINED: tuple[Pretrained, ...] = (TABICL, MITRA, TABDPT, NORI, *TABPFN)

__all__ = ["PRETRAINED", "Pretrained"]
