#!/usr/bin/python3
"""Writes the handwritten digits of examples/data from scikit-learn's copy of the UCI data set.

    /usr/bin/python3 tools/make_digits.py [examples/data]

Needs scikit-learn (Debian: python3-sklearn). Always writes the same bytes: 1797 images of 8x8
pixels in a fixed random order, the first 1437 to train with and the other 360 to test with, in the
form and under the names of MNIST's files.
"""
import pathlib
import random
import struct
import sys

import sklearn.datasets

TRAIN = 1437


def write_idx(path, shape, content):
    """The IDX format: two zeros, 8 for unsigned bytes, the rank, the extents, the elements."""
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    path.write_bytes(header + bytes(content))
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    default = pathlib.Path(__file__).resolve().parent.parent / "examples" / "data"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)

    digits = sklearn.datasets.load_digits()
    images = digits.images.astype(int).tolist()  # 0 to 16: how many of 4x4 pixels are ink
    labels = digits.target.tolist()
    order = list(range(len(labels)))
    random.Random(0).shuffle(order)
    for name, part in (("train", order[:TRAIN]), ("t10k", order[TRAIN:])):
        pixels = [(v * 255 + 8) // 16 for i in part for row in images[i] for v in row]
        write_idx(folder / f"{name}-images-idx3-ubyte", (len(part), 8, 8), pixels)
        write_idx(folder / f"{name}-labels-idx1-ubyte", (len(part),), [labels[i] for i in part])


if __name__ == "__main__":
    main()
