#!/usr/bin/env python3
"""Reference values of block formats and small floats, in tests/vectors/quantize.

    python3 tools/make_block_vectors.py --ggml PATH/libggml-base.so

Writes ggml.npz, mx.npz, nf4.npz and minifloat.npz.

--ggml  a build of ggml as a shared library, for x86-64 in general; the npm package
        @node-llama-cpp/linux-x64 (3.22.1 was used) holds one as bins/linux-x64/libggml-base.so

Where the values come from:
  ggml       ggml itself: quantize_row_*_ref and dequantize_row_*
  minifloat  every code by the formulas of the OCP specifications, in exact fractions; the nearest of
             those codes, even on ties, for values at, beside and between the middles of neighbours
  mx         section 6.3 of the OCP Microscaling specification in exact fractions
  nf4        the 15 comparisons of bitsandbytes' dQuantizeNF4 with its constants, in NumPy's float32
"""
import argparse
import bisect
import ctypes
import fractions
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "vectors" / "quantize"
f32 = np.float32
Fraction = fractions.Fraction



def trained_weights():
    """Those of the larger layers of a small network."""
    layers = [np.load(ROOT / f"examples/firmware/cnn/{n}_weight.npy") for n in ("pointwise2", "fc")]
    return np.concatenate([w.ravel() for w in layers]).astype(f32)


# --- small floats ---

# name: exponent bits, mantissa bits, NaN codes (without sign), infinity
FLOATS = {"e4m3": (4, 3, 0x7f, None), "e5m2": (5, 2, 0x7d, 0x7c), "e2m3": (2, 3, None, None),
          "e3m2": (3, 2, None, None), "e2m1": (2, 1, None, None)}


def positive_values(exponent_bits, mantissa_bits, first_nan, infinity):
    """The numbers of the codes without a sign, in order."""
    bias = 2 ** (exponent_bits - 1) - 1
    end = infinity or first_nan or 2 ** (exponent_bits + mantissa_bits)
    values = []
    for code in range(end):
        exponent, mantissa = code >> mantissa_bits, code & (2 ** mantissa_bits - 1)
        fraction = Fraction(mantissa, 2 ** mantissa_bits) + (exponent > 0)
        values.append(fraction * Fraction(2) ** (max(exponent, 1) - bias))
    return values


def nearest_code(values, x):
    """The code of the value nearest to x >= 0; the even one of two as near; the last one beyond."""
    i = bisect.bisect_left(values, x)
    if i == len(values):
        return i - 1
    if i == 0 or values[i] == x:
        return i
    below, above = x - values[i - 1], values[i] - x
    return i if above < below or (above == below and i % 2 == 0) else i - 1


def minifloats():
    out = {}
    for name, parameters in FLOATS.items():
        values = positive_values(*parameters)
        width = sum(parameters[:2])
        out[f"{name}_values"] = np.array([float(v) for v in values], f32)
        x = []
        for a, b in zip(values, values[1:]):
            middle = f32((a + b) / 2)
            x += [f32(a), middle, np.nextafter(middle, f32(0)), np.nextafter(middle, f32(1e9))]
        step = values[-1] - values[-2]
        last = f32(values[-1] + step / 2)
        x += [f32(values[-1]), np.nextafter(last, f32(0)), last, np.nextafter(last, f32(1e9)), f32(1e30),
              f32(3.4e38), f32(1e-45), f32(1e-30), f32(float(values[1]) / 4)]
        x = np.array(x, f32)
        codes = np.array([nearest_code(values, Fraction(float(v))) for v in x], np.uint8)
        # PyTorch's way beyond the largest: what would round past it is infinite or NaN.
        beyond = parameters[3] or parameters[2] or 0
        overflowing = np.array([beyond if Fraction(float(v)) > values[-1] + step / 2 or
                                (Fraction(float(v)) == values[-1] + step / 2 and len(values) % 2 == 0)
                                else c for v, c in zip(x, codes)], np.uint8)
        out[f"{name}_x"] = np.concatenate([x, -x])
        out[f"{name}_codes"] = np.concatenate([codes, codes | (1 << width)]).astype(np.uint8)
        out[f"{name}_overflowing"] = np.concatenate([overflowing, overflowing | (1 << width)]).astype(np.uint8)
    return out


# --- microscaling ---

MX = {"fp4_e2m1": "e2m1", "fp6_e2m3": "e2m3", "fp6_e3m2": "e3m2", "fp8_e4m3": "e4m3", "fp8_e5m2": "e5m2",
      "int8": None}


def floor_log2(x):
    exponent = 0
    while Fraction(2) ** exponent > x:
        exponent -= 1
    while Fraction(2) ** (exponent + 1) <= x:
        exponent += 1
    return exponent


def mx_block(kind, block):
    """The biased shared exponent and the codes of 32 values."""
    exact = [Fraction(float(v)) for v in block]
    if MX[kind] is None:
        values, sign, emax = [Fraction(i, 64) for i in range(128)], None, 0
    else:
        values = positive_values(*FLOATS[MX[kind]])
        sign, emax = 1 << sum(FLOATS[MX[kind]][:2]), floor_log2(values[-1])
    largest = max(abs(v) for v in exact)
    shared = max(floor_log2(largest) - emax, -127) if largest else -127
    codes = []
    for v, x in zip(exact, block):
        code = nearest_code(values, abs(v) / Fraction(2) ** shared)
        if sign is None:
            codes.append(-code % 256 if v < 0 else code)
        else:
            codes.append(code | (sign if np.signbit(x) else 0))
    return shared + 127, codes


def weights(rng):
    """Rows of 64: normal, of real weights, and edge cases."""
    trained = trained_weights()
    rows = [rng.standard_normal(64) * s for s in (1, 1e-3, 40, 1e-30, 1e30)]
    rows += [trained[64 * i:64 * i + 64] for i in range(6)]
    rows += [np.zeros(64), np.full(64, 0.7), rng.standard_normal(64) * 1e-39, np.arange(64) * 2.0 ** -149,
             np.where(np.arange(64) == 5, -3.4e38, 1.0), np.where(np.arange(64) < 32, 0, 1.5),
             2.0 ** rng.integers(-6, 7, 64) * np.where(rng.random(64) < 0.5, 1.5, -1.25)]
    return np.array(rows).astype(f32)


def mx():
    w = weights(np.random.default_rng(11))
    out = {"w": w}
    for kind in MX:
        scales, codes = np.empty((len(w), 2), np.uint8), np.empty(w.shape, np.uint8)
        for r, row in enumerate(w):
            for b in range(2):
                scales[r, b], codes[r, 32 * b:32 * b + 32] = mx_block(kind, row[32 * b:32 * b + 32])
        out[f"{kind}_scales"], out[f"{kind}_codes"] = scales, codes
    return out


# --- NF4 ---

# bitsandbytes, csrc/kernels.cu: the thresholds of dQuantizeNF4, from the highest.
NF4_THRESHOLDS = np.array([0.8614784181118011, 0.6427869200706482, 0.5016634166240692, 0.3893125355243683,
                           0.2920137718319893, 0.2035212516784668, 0.1202552504837513, 0.03979014977812767,
                           -0.045525018125772476, -0.13791173323988914, -0.23460740596055984,
                           -0.33967943489551544, -0.4599952697753906, -0.6106329262256622,
                           -0.8480964004993439], f32)


def nf4():
    rng = np.random.default_rng(12)
    trained = trained_weights()
    # A block with 1 in it has scale 1: thresholds and their neighbours decide alone.
    edges = np.concatenate([NF4_THRESHOLDS, np.nextafter(NF4_THRESHOLDS, f32(2)),
                            np.nextafter(NF4_THRESHOLDS, f32(-2)), [1, -1, 0, -0.0]])
    edges = np.resize(edges.astype(f32), 64)
    edges[-1] = 1
    w = np.concatenate([edges, trained[:512], rng.standard_normal(300).astype(f32) * f32(0.02),
                        np.zeros(64, f32), np.full(5, 0.3, f32)]).astype(f32)
    codes = np.zeros(len(w), np.uint8)
    scales = np.array([np.abs(w[i:i + 64]).max() for i in range(0, len(w), 64)], f32)
    for i, v in enumerate(w):
        scale = scales[i // 64]
        if scale > 0:
            codes[i] = 15 - np.searchsorted(-NF4_THRESHOLDS, -(v * (f32(1) / scale)), "right")
    padded = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return {"w": w, "scales": scales, "bytes": (padded[0::2] << 4 | padded[1::2]).astype(np.uint8)}


# --- ggml ---

GGML = {"q8_0": (32, 34), "q4_0": (32, 18), "q4_1": (32, 20), "q4_K": (256, 144), "q6_K": (256, 210),
        "tq2_0": (256, 66), "mxfp4": (32, 17)}


def ggml(path):
    library = ctypes.CDLL(path)
    rng = np.random.default_rng(13)
    trained = trained_weights()
    below = np.array([np.nextafter(f32(2.0 ** n), f32(0)) for n in range(-8, 15)], f32)
    rows = [rng.standard_normal(256), rng.standard_normal(256) * 0.02, trained[:256], trained[256:512],
            trained[512:768], rng.standard_normal(256) * 1000, np.zeros(256), np.full(256, 0.25),
            np.full(256, -3.0), rng.uniform(1, 2, 256), -rng.uniform(1, 2, 256),
            np.where(np.arange(256) < 128, 0, rng.standard_normal(256)),
            rng.standard_normal(256) * np.repeat(10.0 ** np.arange(-4, 4), 32),
            rng.standard_normal(256) * 1e-7, rng.integers(-8, 8, 256) * 0.125,
            rng.integers(-1, 2, 256) * 0.5, rng.standard_normal(256) * 1e-41,
            np.repeat(np.resize(below, 8), 32), np.repeat(below[8:16], 32),
            rng.standard_t(2, 256)]
    w = np.array(rows).astype(f32)
    out = {"w": w}
    for name, (count, size) in GGML.items():
        data = np.zeros((len(w), 256 // count * size), np.uint8)
        back = np.zeros_like(w)
        for r, row in enumerate(w):
            row = np.ascontiguousarray(row)
            code = data[r].copy()
            floats = np.zeros(256, f32)
            getattr(library, f"quantize_row_{name}_ref")(ctypes.c_void_p(row.ctypes.data),
                                                         ctypes.c_void_p(code.ctypes.data), ctypes.c_int64(256))
            getattr(library, f"dequantize_row_{name}")(ctypes.c_void_p(code.ctypes.data),
                                                       ctypes.c_void_p(floats.ctypes.data), ctypes.c_int64(256))
            data[r], back[r] = code, floats
        out[f"{name}_blocks"] = data
        # The sum of the bits of all weights read back tells them apart well enough.
        out[f"{name}_back_bits"] = back.view(np.uint32).astype(np.uint64).sum(axis=1)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ggml", required=True)
    options = parser.parse_args()
    files = {"minifloat": minifloats(), "mx": mx(), "nf4": nf4(), "ggml": ggml(options.ggml)}
    OUT.mkdir(parents=True, exist_ok=True)
    for name, arrays in files.items():
        np.savez(OUT / f"{name}.npz", **arrays)
        print(f"{name}.npz: {(OUT / f'{name}.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main()
