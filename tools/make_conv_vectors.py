#!/usr/bin/env python3
"""Reference values for the convolutions of tests/kernels, from PyTorch, the ONNX conformance data and TFLite's arithmetic.

    /usr/bin/python3 tools/make_conv_vectors.py [--onnx DIR]

Writes tests/vectors/kernels/{pytorch_conv,onnx_conv,tflite_conv}.npz. Needs python3-torch, python3-onnx and
libonnx-testdata (DIR is its data/node folder). TFLite's requantization is that of make_kernel_vectors.py; the sums are
PyTorch's convolution of integers in double, which is exact.

Images are NHWC, weights [out, in / groups, height, width]. `window` of a case holds stride y and x, dilation y and x,
padding top, bottom, left and right, and the groups. A case with groups equal to its channels is depthwise too.
"""
import argparse
import math
import pathlib

import numpy as np
import torch

from make_kernel_vectors import OUT, load_pb, quantize_multiplier, scale_double, scale_single

# images, height, width, inputs, outputs, window height and width, then `window`
CASES = [
    (1, 6, 7, 8, 10, 3, 3, (1, 1, 1, 1, 1, 1, 1, 1, 1)),
    (2, 8, 9, 3, 12, 3, 3, (2, 2, 1, 1, 0, 1, 0, 1, 1)),
    (1, 5, 5, 20, 17, 1, 1, (1, 1, 1, 1, 0, 0, 0, 0, 1)),
    (1, 9, 8, 6, 9, 2, 3, (1, 2, 2, 1, 2, 0, 1, 3, 3)),
    (1, 7, 10, 1, 6, 5, 1, (2, 1, 1, 1, 2, 2, 0, 0, 1)),
    (1, 8, 9, 18, 18, 3, 3, (1, 1, 1, 1, 1, 1, 1, 1, 18)),
    (2, 7, 6, 5, 15, 3, 2, (2, 1, 1, 2, 0, 2, 1, 1, 5)),
    (1, 6, 6, 35, 35, 5, 5, (1, 1, 1, 1, 2, 2, 2, 2, 35)),
]


def convolve(x, w, window, bias=None):
    """x NHWC with 0 for padding, w OIHW, both in double: NHWC."""
    sy, sx, dy, dx, top, bottom, left, right, groups = window
    nchw = torch.nn.functional.pad(torch.as_tensor(x, dtype=torch.float64).permute(0, 3, 1, 2), (left, right, top, bottom))
    y = torch.nn.functional.conv2d(nchw, torch.as_tensor(w, dtype=torch.float64),
                                   None if bias is None else torch.as_tensor(bias, dtype=torch.float64),
                                   stride=(sy, sx), dilation=(dy, dx), groups=groups)
    return y.permute(0, 2, 3, 1).contiguous()


def draw(rng, case, low, high):
    n, height, width, inputs, outputs, kh, kw, window = case
    x = rng.integers(low, high, (n, height, width, inputs), dtype=np.int64)
    w = rng.integers(-128, 128, (outputs, inputs // window[-1], kh, kw), dtype=np.int64)
    return x, w, np.array(window, np.int32)


def pytorch_conv():
    """torch's conv2d between dequantize and quantize: u8 inputs, s8 weights with a scale for each output.

    Scales of inputs and weights are powers of two, so that only the last step rounds: torch.quantize_per_tensor.
    """
    rng = np.random.default_rng(11)
    arrays = {"cases": np.int32(len(CASES))}
    for i, case in enumerate(CASES):
        x, w, window = draw(rng, case, 0, 256)
        outputs, k = w.shape[0], w[0].size
        w_scales = 2.0 ** rng.integers(-9, -5, outputs)
        x_scale, x_zero = 2.0 ** -6, int(rng.integers(0, 256))
        y_scale, y_zero = float(np.float32(0.02 * math.sqrt(k))), int(rng.integers(0, 256))
        bias = rng.integers(-2000, 2000, outputs) * (x_scale * w_scales)
        wq = torch._make_per_channel_quantized_tensor(
            torch.tensor(w, dtype=torch.int8), torch.tensor(w_scales), torch.zeros(outputs, dtype=torch.int64), 0)
        xq = torch._make_per_tensor_quantized_tensor(torch.tensor(x, dtype=torch.uint8), x_scale, x_zero)
        y = convolve(xq.dequantize(), wq.dequantize(), window.tolist(), bias)
        for relu in (0, 1):
            real = (torch.relu(y) if relu else y).float()
            arrays[f"y{i}_{relu}"] = torch.quantize_per_tensor(real, y_scale, y_zero, torch.quint8).int_repr().numpy()
        arrays.update({f"w{i}": w.astype(np.int8), f"w_scales{i}": w_scales.astype(np.float32),
                       f"x{i}": x.astype(np.uint8), f"bias{i}": bias.astype(np.float32), f"window{i}": window,
                       f"x_scale{i}": np.float32(x_scale), f"x_zero{i}": np.int32(x_zero),
                       f"y_scale{i}": np.float32(y_scale), f"y_zero{i}": np.int32(y_zero)})
    np.savez(OUT / "pytorch_conv.npz", **arrays)


def onnx_conv(folder):
    """test_convinteger_with(out)_padding and test_qlinearconv of the conformance data (NCHW, one channel each), and more
    by the specification's formula of QLinearConv."""
    arrays = {}
    for name in ("with", "without"):
        data = folder / f"test_convinteger_{name}_padding" / "test_data_set_0"
        for i, part in enumerate(["x", "w", "x_zero"]):
            arrays[f"{name}_{part}"] = load_pb(data / f"input_{i}.pb")
        arrays[f"{name}_y"] = load_pb(data / "output_0.pb")
    data = folder / "test_qlinearconv" / "test_data_set_0"
    names = ["x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"]
    for i, name in enumerate(names):
        arrays[f"q_{name}"] = np.atleast_1d(load_pb(data / f"input_{i}.pb"))
    arrays["q_y"] = load_pb(data / "output_0.pb")

    rng = np.random.default_rng(12)
    arrays["cases"] = np.int32(len(CASES))
    for i, case in enumerate(CASES):
        x, w, window = draw(rng, case, -128, 128)
        x_scale, y_scale = np.float32(0.0625), np.float32(2.0)
        x_zero, y_zero = int(rng.integers(-128, 128)), int(rng.integers(-20, 20))
        w_scales = np.float32(2.0) ** rng.integers(-7, -3, w.shape[0]).astype(np.float32)  # many exact ties
        acc = convolve(x - x_zero, w, window.tolist()).numpy()
        factors = (x_scale * w_scales / y_scale).astype(np.float32)
        y = np.clip(np.rint(acc.astype(np.float32) * factors + np.float32(y_zero)), -128, 127)
        arrays.update({f"w{i}": w.astype(np.int8), f"x{i}": x.astype(np.int8), f"window{i}": window,
                       f"w_scales{i}": w_scales, f"x_scale{i}": x_scale, f"y_scale{i}": y_scale,
                       f"x_zero{i}": np.int32(x_zero), f"y_zero{i}": np.int32(y_zero), f"y{i}": y.astype(np.int8)})
    np.savez(OUT / "onnx_conv.npz", **arrays)


def tflite_conv():
    rng = np.random.default_rng(13)
    arrays = {"cases": np.int32(len(CASES))}
    for i, case in enumerate(CASES):
        x, w, window = draw(rng, case, -128, 128)
        w = np.maximum(w, -127)
        outputs, k = w.shape[0], w[0].size
        bias = rng.integers(-3000, 3000, outputs)
        x_scale = np.float32(rng.uniform(0.01, 0.1))
        y_scale = np.float32(rng.uniform(0.02, 0.1) * math.sqrt(k) if i % 3 else 1e-4)  # each third: factors above one
        w_scales = rng.uniform(0.001, 0.02, outputs).astype(np.float32)
        x_zero, y_zero = int(rng.integers(-128, 128)), int(rng.integers(-128, 128))
        acc = convolve(x - x_zero, w, window.tolist(), bias).numpy()
        for name, scale in (("double", scale_double), ("single", scale_single)):
            y = np.empty(acc.shape, np.int8)
            for c in range(outputs):
                q, shift = quantize_multiplier(float(x_scale) * float(w_scales[c]) / float(y_scale))
                for at in np.ndindex(acc.shape[:3]):
                    y[at + (c,)] = min(max(scale(int(acc[at + (c,)]), q, shift) + y_zero, -128), 127)
            arrays[f"y_{name}{i}"] = y
        arrays.update({f"w{i}": w.astype(np.int8), f"x{i}": x.astype(np.int8), f"bias{i}": bias.astype(np.int32),
                       f"window{i}": window, f"w_scales{i}": w_scales, f"x_scale{i}": x_scale, f"y_scale{i}": y_scale,
                       f"x_zero{i}": np.int32(x_zero), f"y_zero{i}": np.int32(y_zero)})
    np.savez(OUT / "tflite_conv.npz", **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=pathlib.Path, default="/usr/share/libonnx-testdata/data/node")
    folder = parser.parse_args().onnx
    OUT.mkdir(parents=True, exist_ok=True)
    pytorch_conv()
    onnx_conv(folder)
    tflite_conv()


if __name__ == "__main__":
    main()
