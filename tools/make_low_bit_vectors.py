#!/usr/bin/env python3
"""Reference values for low-bit and grouped linear layers: ONNX MatMulNBits and the blocks of ggml.

    python3 tools/make_low_bit_vectors.py

Writes tests/vectors/kernels/{matmul_nbits,ggml_blocks}.npz. Needs numpy only: both formats are packed
and read back here as their specifications say (ONNX Runtime, docs/ContribOperators.md, MatMulNBits;
ggml, ggml-quants.c, quantize_row_q4_0_ref and quantize_row_q8_0_ref).
"""
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "kernels"


def matmul_nbits_pack(codes, bits, block):
    """B [N, blocks, block * bits / 8] and its zero points: unsigned, the first code in the low bits."""
    n, k = codes.shape
    blocks = -(-k // block)
    padded = np.zeros((n, blocks * block), np.uint8)
    padded[:, :k] = codes
    padded = padded.reshape(n, blocks, block)
    return padded if bits == 8 else padded[..., 0::2] | (padded[..., 1::2] << 4)


def matmul_nbits(x, packed, scales, zero_points, bits, block):
    """Y = A * dequantize(B)^T, in double."""
    codes = packed.astype(np.int64)
    if bits == 4:
        codes = np.stack([codes & 15, codes >> 4], axis=-1).reshape(*packed.shape[:2], block)
    weights = (codes - zero_points[..., None]) * scales[..., None].astype(np.float64)
    return x.astype(np.float64) @ weights.reshape(len(packed), -1)[:, :x.shape[1]].T


def matmul_nbits_cases():
    rng = np.random.default_rng(4)
    arrays = {}
    cases = [(1, 5, 64, 4, 32, False), (3, 20, 100, 4, 32, True), (2, 33, 200, 4, 64, True),
             (4, 9, 130, 4, 128, False), (2, 17, 96, 8, 32, True)]
    for i, (m, n, k, bits, block, asymmetric) in enumerate(cases):
        blocks, middle = -(-k // block), 1 << (bits - 1)
        codes = rng.integers(0, 1 << bits, (n, k))
        # A default zero point of 8 (4 bits) or 128 (8 bits) where there is none.
        zero_points = rng.integers(0, 1 << bits, (n, blocks)) if asymmetric else np.full((n, blocks), middle)
        scales = rng.uniform(0.001, 0.02, (n, blocks)).astype(np.float16).astype(np.float32)
        x = rng.normal(size=(m, k)).astype(np.float32)
        packed = matmul_nbits_pack(codes, bits, block)
        y = matmul_nbits(x, packed, scales, zero_points, bits, block)
        # The library's codes are signed: the distance to the middle.
        arrays.update({f"codes{i}": (codes - middle).astype(np.int8),
                       f"zero_points{i}": (zero_points - middle).astype(np.int8), f"scales{i}": scales,
                       f"x{i}": x, f"y{i}": y.astype(np.float32), f"bits{i}": np.int32(bits),
                       f"group{i}": np.int32(block)})
    arrays["cases"] = np.int32(len(cases))
    np.savez(OUT / "matmul_nbits.npz", **arrays)


def q4_0(row):
    """Blocks of 32: (d as fp16, 16 bytes); low nibbles are elements 0 to 15, high ones 16 to 31."""
    for block in row.reshape(-1, 32):
        largest = block[np.argmax(np.abs(block))]
        d = np.float32(largest) / np.float32(-8)
        inverse = np.float32(1) / d if d != 0 else np.float32(0)
        q = np.minimum(15, (block * inverse + np.float32(8.5)).astype(np.int8)).astype(np.uint8)
        yield np.float16(d), q[:16] | (q[16:] << 4)


def q8_0(row):
    for block in row.reshape(-1, 32):
        d = np.float32(np.abs(block).max()) / np.float32(127)
        inverse = np.float32(1) / d if d != 0 else np.float32(0)
        scaled = block * inverse
        yield np.float16(d), (np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))).astype(np.int8)


def ggml_blocks():
    """Weights whose scales are powers of two, and rows of integers from 0 to 255: all sums are exact."""
    rng = np.random.default_rng(5)
    n, k, m = 21, 96, 4
    x = rng.integers(0, 256, (m, k)).astype(np.float32)
    x[:, 0], x[:, 1] = 0, 255  # rows quantize to themselves
    arrays = {"x": x}
    for name, quantize, most in (("q4_0", q4_0, -8), ("q8_0", q8_0, 127)):
        w = np.empty((n, k), np.float32)
        for r in range(n):
            for b in range(k // 32):
                codes = rng.integers(-7, 8, 32) if most < 0 else rng.integers(-126, 127, 32)
                codes[rng.integers(0, 32)] = most
                w[r, 32 * b:32 * b + 32] = codes * 2.0 ** rng.integers(-9, -4)
        if name == "q4_0":
            w[3, 32:64] *= -1  # ggml's scales may be negative
        w[5, 0:32] = 0
        codes, scales, back = np.empty((n, k), np.int8), np.empty((n, k // 32), np.float32), np.empty((n, k))
        for r in range(n):
            for b, (d, q) in enumerate(quantize(w[r])):
                at = slice(32 * b, 32 * b + 32)
                values = q if name == "q8_0" else np.concatenate([q & 15, q >> 4]).astype(np.int8) - 8
                codes[r, at], scales[r, b] = values, d
                back[r, at] = values.astype(np.float64) * np.float64(d)
        assert np.array_equal(back, w)
        arrays.update({f"{name}_codes": codes, f"{name}_scales": scales,
                       f"{name}_y": (x.astype(np.float64) @ back.T).astype(np.float32)})
    np.savez(OUT / "ggml_blocks.npz", **arrays)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    matmul_nbits_cases()
    ggml_blocks()
