#!/usr/bin/env python3
"""Reference values for tests/kernels, from PyTorch, the ONNX conformance data and TFLite's arithmetic.

    /usr/bin/python3 tools/make_kernel_vectors.py [--onnx DIR]

Writes tests/vectors/kernels/{pytorch_linear,onnx_linear,tflite_linear}.npz. Needs python3-torch, python3-onnx and
libonnx-testdata (DIR is its data/node folder). TFLite itself is not packaged for Python: its fully connected kernel is
transcribed here into integers of unlimited size from the formulas of gemmlowp's fixedpoint.h and TFLite's common.h, with
truncation and saturation as in C.
"""
import argparse
import math
import pathlib

import numpy as np
import onnx
import torch
from onnx import numpy_helper

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "kernels"


def pytorch_linear():
    """torch's linear between dequantize and quantize: u8 activations, s8 weights with a scale for each output.

    Scales of inputs and weights are powers of two and the product runs in double, so it is exact, and only the last
    step rounds: torch.quantize_per_tensor. (Debian's build has no FBGEMM, whose fused operator gives the same.)
    """
    rng = np.random.default_rng(1)
    arrays = {}
    for i, (m, n, k) in enumerate([(1, 1, 1), (3, 7, 5), (8, 33, 64), (5, 16, 129)]):
        w = rng.integers(-128, 128, (n, k), dtype=np.int64)
        w_scales = 2.0 ** rng.integers(-9, -5, n)
        x = rng.integers(0, 256, (m, k), dtype=np.int64)
        x_scale, x_zero = 2.0 ** -6, int(rng.integers(0, 256))
        y_scale, y_zero = float(np.float32(0.37 / math.sqrt(k))), int(rng.integers(0, 256))
        bias = rng.integers(-2000, 2000, n) * (x_scale * w_scales)
        wq = torch._make_per_channel_quantized_tensor(
            torch.tensor(w, dtype=torch.int8), torch.tensor(w_scales), torch.zeros(n, dtype=torch.int64), 0)
        xq = torch._make_per_tensor_quantized_tensor(torch.tensor(x, dtype=torch.uint8), x_scale, x_zero)
        for relu in (0, 1):
            y = torch.nn.functional.linear(xq.dequantize().double(), wq.dequantize().double(), torch.tensor(bias))
            y = (torch.relu(y) if relu else y).float()
            arrays[f"y{i}_{relu}"] = torch.quantize_per_tensor(y, y_scale, y_zero, torch.quint8).int_repr().numpy()
        arrays.update({f"w{i}": w.astype(np.int8), f"w_scales{i}": w_scales.astype(np.float32), f"x{i}": x.astype(np.uint8),
                       f"bias{i}": bias.astype(np.float32), f"x_scale{i}": np.float32(x_scale),
                       f"x_zero{i}": np.int32(x_zero), f"y_scale{i}": np.float32(y_scale),
                       f"y_zero{i}": np.int32(y_zero)})
    arrays["cases"] = np.int32(4)
    np.savez(OUT / "pytorch_linear.npz", **arrays)


def load_pb(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def onnx_linear(folder):
    """test_matmulinteger and test_qlinearmatmul_2D of the ONNX conformance data, and more by the specification's formula."""
    arrays = {}
    data = folder / "test_matmulinteger" / "test_data_set_0"
    for i, name in enumerate(["a", "b", "a_zero", "b_zero"]):
        arrays[f"integer_{name}"] = load_pb(data / f"input_{i}.pb")
    arrays["integer_y"] = load_pb(data / "output_0.pb")
    data = folder / "test_qlinearmatmul_2D" / "test_data_set_0"
    names = ["a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"]
    for i, name in enumerate(names):
        arrays[f"q_{name}"] = np.atleast_1d(load_pb(data / f"input_{i}.pb"))
    arrays["q_y"] = load_pb(data / "output_0.pb")

    rng = np.random.default_rng(2)
    m, n, k = 6, 35, 50
    w = rng.integers(-128, 128, (n, k), dtype=np.int64)
    x = rng.integers(-128, 128, (m, k), dtype=np.int64)
    x_scale, y_scale, x_zero, y_zero = np.float32(0.0625), np.float32(4.0), -11, 7
    w_scales = np.float32(2.0) ** rng.integers(-7, -3, n).astype(np.float32)  # powers of two: many exact ties
    acc = (x - x_zero) @ w.T
    factors = (x_scale * w_scales / y_scale).astype(np.float32)
    y = np.clip(np.rint(acc.astype(np.float32) * factors + np.float32(y_zero)), -128, 127)
    arrays.update(w=w.astype(np.int8), x=x.astype(np.int8), w_scales=w_scales, x_scale=x_scale, y_scale=y_scale,
                  x_zero=np.int32(x_zero), y_zero=np.int32(y_zero), y=y.astype(np.int8))
    np.savez(OUT / "onnx_linear.npz", **arrays)


def quantize_multiplier(m):
    if m == 0:
        return 0, 0
    fraction, shift = math.frexp(m)
    q = math.floor(fraction * 2**31 + 0.5)
    if q == 2**31:
        q //= 2
        shift += 1
    return (0, 0) if shift < -31 else (q, shift)


def wrap32(x):
    return (x + 2**31) % 2**32 - 2**31


def srdhm(a, b):
    if a == b == -2**31:
        return 2**31 - 1
    ab = a * b
    nudge = 2**30 if ab >= 0 else 1 - 2**30
    quotient = abs(ab + nudge) // 2**31  # C truncates towards zero
    return quotient if ab + nudge >= 0 else -quotient


def rounding_divide_by_pot(x, exponent):
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def scale_double(x, multiplier, shift):
    return rounding_divide_by_pot(srdhm(wrap32(x << max(shift, 0)), multiplier), max(-shift, 0))


def scale_single(x, multiplier, shift):
    return wrap32((x * multiplier + (1 << (30 - shift))) >> (31 - shift))


def tflite_linear():
    rng = np.random.default_rng(3)
    arrays = {"cases": np.int32(3)}
    for i, (m, n, k) in enumerate([(4, 9, 17), (2, 64, 100), (7, 50, 31)]):
        w = rng.integers(-127, 128, (n, k), dtype=np.int64)
        x = rng.integers(-128, 128, (m, k), dtype=np.int64)
        bias = rng.integers(-30000, 30000, n)
        x_scale = np.float32(rng.uniform(0.01, 0.1))
        y_scale = np.float32(rng.uniform(0.2, 2.0) if i < 2 else 1e-4)  # the last: factors above one
        w_scales = rng.uniform(0.001, 0.02, n).astype(np.float32)
        x_zero, y_zero = int(rng.integers(-128, 128)), int(rng.integers(-128, 128))
        acc = (x - x_zero) @ w.T + bias
        for name, scale in (("double", scale_double), ("single", scale_single)):
            y = np.empty((m, n), np.int8)
            for c in range(n):
                q, shift = quantize_multiplier(float(x_scale) * float(w_scales[c]) / float(y_scale))
                for r in range(m):
                    y[r, c] = min(max(scale(int(acc[r, c]), q, shift) + y_zero, -128), 127)
            arrays[f"y_{name}{i}"] = y
        arrays.update({f"w{i}": w.astype(np.int8), f"x{i}": x.astype(np.int8), f"bias{i}": bias.astype(np.int32),
                       f"w_scales{i}": w_scales, f"x_scale{i}": x_scale, f"y_scale{i}": y_scale,
                       f"x_zero{i}": np.int32(x_zero), f"y_zero{i}": np.int32(y_zero)})
    np.savez(OUT / "tflite_linear.npz", **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=pathlib.Path, default="/usr/share/libonnx-testdata/data/node")
    folder = parser.parse_args().onnx
    OUT.mkdir(parents=True, exist_ok=True)
    pytorch_linear()
    onnx_linear(folder)
    tflite_linear()


if __name__ == "__main__":
    main()
