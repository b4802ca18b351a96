"""How much faster each family trains on the GPU than on the processor, at three numbers of rows.

usage: uv run python benchmarks/gpu.py [--rows 10000,100000,500000] [--columns 20] [--families TABM] [--size 0]

Each figure is the median time between epochs of a training in a process of its own, the processor's with all its cores.
Where there is no GPU that PyTorch can use, the script says so and ends with 1.
"""

from __future__ import annotations

import argparse
import os

import torch
from scaling import in_process
from versus import head


def main(families: list[str], rows: list[int], columns: int, size: int) -> int:
    if not torch.cuda.is_available():
        print("There is no GPU that PyTorch can use on this machine.")
        return 1
    print(f"{head()}; {torch.cuda.get_device_name(0)}, PyTorch {torch.__version__}; {columns} columns, size {size}")
    print(f"{'family':<12} {'rows':>8} {'CPU s/epoch':>12} {'GPU s/epoch':>12} {'times as fast':>14}")
    # All families at one size before the next: a table that was cut short still compares them.
    for count in rows:
        for key in families:
            try:
                cpu, gpu = (
                    in_process(key, count, columns, size=size, gpu=on_gpu, threads=os.cpu_count() or 1)["epoch"]
                    for on_gpu in (False, True)
                )
            except RuntimeError as error:
                print(f"{key:<12} {count:>8} failed: {error}", flush=True)
                continue
            print(f"{key:<12} {count:>8} {cpu:>12.3f} {gpu:>12.3f} {cpu / gpu:>14.1f}", flush=True)
    return 0


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rows", default="10000,100000,500000")
    options.add_argument("--columns", type=int, default=20)
    options.add_argument("--families", default="FEEDFORWARD,FASTAI,NN_TORCH,TABM,REALMLP")
    options.add_argument("--size", type=int, default=0)
    chosen = options.parse_args()
    raise SystemExit(
        main(
            chosen.families.split(","),
            [int(n) for n in chosen.rows.split(",")],
            chosen.columns,
            chosen.size,
        )
    )
