"""Weights of the pre-trained families in their authors' formats, of networks so small that a test can use them."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from dlreg_core.networks import pretrained


def write_tiny(key: str, folder: Path) -> None:
    """Write weights of a tiny network of that family, under the names that its real ones have."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    {"TABICL": _tabicl, "MITRA": _mitra, "TABDPT": _tabdpt, "NORI": _nori}[key](folder, folder / files(key)[-1])
    assert sorted(path.name for path in folder.iterdir()) == sorted(files(key))


def files(key: str) -> tuple[str, ...]:
    return pretrained(key).files


def _mitra(folder: Path, file: Path) -> None:
    from autogluon.tabular.models.mitra._internal.models.tab2d import Tab2D

    network = Tab2D(
        dim=32,
        dim_output=1,
        n_layers=1,
        n_heads=2,
        task="REGRESSION",
        use_pretrained_weights=False,
        path_to_weights="",
        device="cpu",
    )
    network.save_pretrained(str(folder))


def _tabicl(folder: Path, file: Path) -> None:
    from tabicl._model.tabicl import TabICL

    config = {
        "max_classes": 0,
        "num_quantiles": 9,
        "embed_dim": 16,
        "col_num_blocks": 1,
        "col_nhead": 2,
        "col_num_inds": 4,
        "row_num_blocks": 1,
        "row_nhead": 2,
        "row_num_cls": 2,
        "icl_num_blocks": 1,
        "icl_nhead": 2,
    }
    network = TabICL(**config)
    # Its authors begin with layers that do nothing: without some noise every row is predicted the same.
    with torch.no_grad():
        for values in network.parameters():
            values.add_(0.3 * torch.randn_like(values))
    torch.save({"config": config, "state_dict": network.state_dict()}, file)


def _tabdpt(folder: Path, file: Path) -> None:
    from safetensors.torch import save_file
    from tabdpt.model import TabDPTModel

    bins = {"regression_bin_count": 16, "regression_bin_min": -5.0, "regression_bin_max": 5.0}
    shape = {"enc_cell_dim": 8, "nhead": 2, "nlayers": 1, "y_encoder_dim": 4, "num_col_attn_layers": 0}
    network = TabDPTModel(
        dropout=0.0, n_out=3, nhid=16, ninp=16, num_features=8, base_len=128, max_len=128, **bins, **shape
    )
    named = {"max_num_classes": 3, "ff_dim": 16, "emsize": 16, "max_num_features": 8, "n_thinking_rows": 0}
    lengths = {"min_eval_context": 128, "max_eval_context": 128}
    config = {"training": {"dropout": 0.0}, "model": bins | shape | named | lengths, "env": {"device": "cpu"}}
    with torch.no_grad():
        for values in network.parameters():
            values.add_(0.3 * torch.randn_like(values))
    save_file(
        {name: values.clone() for name, values in network.state_dict().items()}, file, {"cfg": json.dumps(config)}
    )


def _nori(folder: Path, file: Path) -> None:
    from synthefy_nori.api import config_path
    from synthefy_nori.utils.loading import build_model

    config = json.loads(Path(config_path("model_base.json")).read_text())
    config |= {"nlayers": 1, "nhead": 2, "embed_dim": 16, "hid_dim": 32, "mask_prediction": False}
    config["encoder_config_x"] |= {"embedding_size": 16, "mask_embedding_size": 16}
    config["encoder_config_y"] |= {"embedding_size": 16}
    torch.save({"model_config": config, "model_state_dict": build_model(config).state_dict()}, file)
