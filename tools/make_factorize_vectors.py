#!/usr/bin/python3
"""Writes the reference values of tests/factorize with torch.linalg.svd, in double.

    /usr/bin/python3 tools/make_factorize_vectors.py        # Debian: python3-torch

Writes tests/vectors/factorize/svd.npz next to this script's repository; the same bytes on every
run on one machine (the last bits of a decomposition depend on the BLAS).
"""

import pathlib

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "factorize"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    random = lambda *shape: torch.randn(shape, generator=generator)
    matrices = [
        random(24, 16),
        random(16, 24),
        random(20, 20),
        random(1, 9),
        random(9, 1),
        random(18, 3) @ random(3, 12),  # rank 3
        random(12, 12) * torch.logspace(0, -6, 12),  # singular values over six decades
    ]
    arrays = {}
    for i, w in enumerate(matrices):
        u, s, vt = torch.linalg.svd(w.double(), full_matrices=False)
        rank = max(1, len(s) // 3)
        arrays[f"w{i}"] = w.numpy()
        arrays[f"values{i}"] = s.numpy()
        arrays[f"rank{i}"] = numpy.array(rank)
        arrays[f"product{i}"] = ((u[:, :rank] * s[:rank]) @ vt[:rank]).float().numpy()
    numpy.savez(FOLDER / "svd.npz", **arrays)


if __name__ == "__main__":
    main()
