#!/usr/bin/env python3
"""Reference values of codebooks: Lloyd's iterations of scikit-learn from two starts.

    python3 tools/make_kmeans_vectors.py

Writes tests/vectors/quantize/kmeans.npz. Needs NumPy and scikit-learn (Debian: python3-sklearn).
"""
import pathlib

import numpy as np
from sklearn.cluster import KMeans

ROOT = pathlib.Path(__file__).resolve().parent.parent
f32 = np.float32


def main():
    rng = np.random.default_rng(21)
    trained = np.load(ROOT / "examples/firmware/cnn/fc_weight.npy").astype(f32).ravel()
    x = np.concatenate([trained, rng.standard_normal(1000).astype(f32) * f32(0.1)])
    low, high = float(x.min()), float(x.max())
    ordered = np.sort(x)
    starts = [np.linspace(low, high, 16),
              ordered[[int((c + 0.5) / 16 * len(x)) for c in range(16)]].astype(float)]
    centers = []
    for start in starts:
        model = KMeans(16, init=start[:, None], n_init=1, max_iter=10000, tol=0, algorithm="lloyd")
        centers.append(np.sort(model.fit(x.astype(float)[:, None]).cluster_centers_[:, 0]))
    np.savez(ROOT / "tests/vectors/quantize/kmeans.npz", x=x, centers=np.array(centers, f32))


if __name__ == "__main__":
    main()
