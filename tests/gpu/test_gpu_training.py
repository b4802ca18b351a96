"""Every family trains on a GPU, and the run says so. These need CUDA: `uv run pytest -m gpu tests/gpu`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dlreg_core.jobs import open_dispatcher
from dlreg_core.networks import FAMILIES, family
from dlreg_core.pipeline.fitted_pipeline import NETWORKS
from dlreg_core.settings import Settings
from dlreg_core.specs import RunState
from dlreg_core.training.execution.fit_records import FoldResult
from dlreg_core.training.execution.process_pool import TrainingPool
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from tests.conftest import add_table, experiment_on, small_table, wait_until_ended
from tests.core.training.jobs import fold_job

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that PyTorch can use"),
]


@pytest.mark.parametrize("key", [chosen.key for chosen in FAMILIES])
def test_a_family_trains_on_the_gpu(tmp_path: Path, key: str) -> None:
    frame, judges = small_table(600).drop(columns=["id", "built", "country"]), small_table(100, seed=1)
    target = frame.pop("price").to_numpy()
    frame["place"] = frame["place"].astype("category")
    held = judges[["size", "place"]].astype({"place": frame["place"].dtype})
    networks = Networks(tmp_path / NETWORKS, NetworkRows(frame, target, held, judges["price"].to_numpy()))
    settings = family(key).sample_settings(networks.rows, 0)
    job = fold_job(key, settings, folder=networks.folder("x"), gpu=True)
    used = torch.cuda.mem_get_info()[0]
    with TrainingPool(1, networks.rows_file) as pool:
        pool.submit(0, job)
        least = used
        while pool.work:
            told = pool.wait(60.0)
            # A process that uses the GPU holds some hundreds of megabytes of it.
            least = min(least, torch.cuda.mem_get_info()[0])
            done = [word for word in told if word.epoch is None]
    assert isinstance(done[0].result, FoldResult), done[0].error
    assert np.isfinite(done[0].result.held_out).all()
    assert done[0].result.outcome.notes == ()
    assert used - least > 100e6
    networks.complete("x", key, {0: done[0].result})
    np.testing.assert_allclose(predicted_without_a_gpu(networks, tmp_path), done[0].result.held_out, rtol=1e-2)


def predicted_without_a_gpu(networks: Networks, folder: Path) -> np.ndarray:
    """Return what the network that was trained predicts of the rows held out in a process that sees no GPU."""
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from dlreg_core.training.execution.fit_records import PreparedRows\n"
        "from dlreg_core.pipeline.network_store import NetworkStore\n"
        "shelf, rows, target = map(Path, sys.argv[1:])\n"
        "prepared = PreparedRows.load(rows)\n"
        "np.save(target, NetworkStore(shelf).predict(prepared.features[prepared.fold == 0], 'x'))\n"
    )
    target = folder / "predicted.npy"
    command = [sys.executable, "-c", code, str(networks.shelf.path), str(networks.rows_file), str(target)]
    subprocess.run(command, check=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    found: np.ndarray = np.load(target)
    return found


def test_a_run_says_that_it_used_the_gpu(tmp_path: Path) -> None:
    dispatcher = open_dispatcher(Settings(home=tmp_path))
    experiment = experiment_on(add_table(tmp_path, small_table(2_000)), "price", time_limit=90.0, device="gpu")
    run_id = dispatcher.submit(experiment)
    assert wait_until_ended(dispatcher, run_id) is RunState.COMPLETED
    result = dispatcher.store.folder(run_id).result()
    assert result is not None
    assert result.device == "gpu"
    assert result.device_note.startswith("Ran on the GPU: ")
    assert {fit.device for fit in result.plan.fits} == {"gpu"}
    assert {fit.family for fit in result.plan.fits} >= {family("FEEDFORWARD").key}
