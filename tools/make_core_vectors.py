#!/usr/bin/python3
"""Writes the reference values of the tests of core/ and io/.

    /usr/bin/python3 tools/make_core_vectors.py [tests/vectors]

Needs NumPy and PyTorch (Debian: python3-numpy, python3-torch). Deterministic: the same versions
write the same bytes (made with NumPy 1.24 and PyTorch 1.13).

  io/npy.npz            .npy files of every element type, order and version, as bytes
  core/small_float.npz  float16 by NumPy, bfloat16 by PyTorch: edge cases, and checksums of sweeps
  core/fixed_point.npz  requantization by the formulas of gemmlowp and TensorFlow Lite, in integers
                        without bounds
  core/rounding.npz     rounding to integers by NumPy and by exact fractions
"""
import fractions
import io
import math
import pathlib
import random
import sys

import numpy as np
import torch

MASK64 = (1 << 64) - 1


def checksum(values):
    """sum of (2 i + 1) * values[i] modulo 2^64."""
    weights = 2 * np.arange(len(values), dtype=np.uint64) + np.uint64(1)
    with np.errstate(over="ignore"):
        return np.uint64((values.astype(np.uint64) * weights).sum(dtype=np.uint64))


# --- io/npy.npz ---


def saved(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version, allow_pickle=False)
    return np.frombuffer(out.getvalue(), np.uint8)


def by_hand(text, data):
    """A version 1.0 file with any dictionary."""
    raw = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data
    return np.frombuffer(raw, np.uint8)


def with_header(text, data):
    """A file with a dictionary that NumPy reads but does not write."""
    raw = by_hand(text, data)
    np.load(io.BytesIO(raw.tobytes()))  # NumPy does read it
    return raw


def npy_vectors():
    files = {}

    def pattern(dtype, shape):
        n = int(np.prod(shape))
        if dtype == "b1":
            return (np.arange(n) % 3 == 1).reshape(shape)
        info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
        values = (np.arange(n) * 7 - (0 if info and info.min == 0 else 40)) / (1 if info else 4)
        values = values.astype(dtype)
        if info and n > 1:  # both ends of the range
            values[0], values[-1] = info.min, info.max
        return values.reshape(shape)

    types = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
    for name in types:
        c = pattern(name, (3, 4))
        expected = c.astype({"i8": "i8", "u8": "u8"}.get(name, "f8"))
        files[f"{name}.values"] = saved(np.ascontiguousarray(expected))
        for order, tag in (("<", "little"), (">", "big")):
            if np.dtype(name).itemsize == 1 and tag == "big":
                continue
            t = c.astype(np.dtype(name).newbyteorder(order))
            files[f"{name}.{tag}.c"] = saved(t)
            files[f"{name}.{tag}.fortran"] = saved(np.asfortranarray(t))

    # ml_dtypes.bfloat16 is saved as two bytes without a meaning, under a name in some versions.
    bf = torch.tensor([1.0, -2.5, 0.0078125, 3e38]).to(torch.bfloat16)
    bits = bf.view(torch.int16).numpy().view("V2")
    rest = b"', 'fortran_order': False, 'shape': (4,), }\n"
    files["bfloat16.void"] = saved(bits)
    files["bfloat16.little"] = with_header(b"{'descr': '<V2" + rest, bits.tobytes())
    files["bfloat16.named"] = by_hand(b"{'descr': 'bfloat16" + rest, bits.tobytes())
    files["bfloat16.values"] = saved(bf.to(torch.float64).numpy())

    base = pattern("f4", (2, 3, 4))
    files["version1"] = saved(base, (1, 0))
    files["version2"] = saved(base, (2, 0))
    files["version3"] = saved(base, (3, 0))
    files["fortran3d"] = saved(np.asfortranarray(base))
    files["scalar"] = saved(np.array(2.5))
    files["one"] = saved(np.arange(5, dtype="i4"))
    files["eight"] = saved(np.arange(2 * 3 * 2 * 2, dtype="u1").reshape(2, 1, 3, 1, 2, 1, 2, 1))
    files["nine"] = saved(np.zeros((1,) * 9, "u1"))
    files["empty1"] = saved(np.zeros(0, "f4"))
    files["empty2"] = saved(np.zeros((3, 0), "f4"))
    files["empty2.fortran"] = saved(np.zeros((0, 3), "f4", order="F"))
    files["complex"] = saved(np.zeros(2, "c8"))
    files["string"] = saved(np.array(["a", "bc"]))
    files["date"] = saved(np.zeros(2, "M8[s]"))
    files["record"] = saved(np.zeros(2, [("a", "<f4"), ("b", "<i2")]))
    files["longdouble"] = saved(np.zeros(2, np.longdouble))

    data = np.arange(2, dtype="<f4").tobytes()
    files["loose"] = with_header(
        b'{ \'shape\' :(2 , ) ,"descr"\t: "<f4",\n \'fortran_order\':False}\r\n', data)
    files["python2"] = with_header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }\n",
                                   data)
    files["native"] = with_header(b"{'descr': '=f4', 'fortran_order': False, 'shape': (2,), }\n",
                                  data)
    return files


# --- core/small_float.npz ---


def sweep(count):
    """`count` bit patterns of float spread over all of them; NaN is left out (as +0)."""
    bits = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761)).astype(np.uint32)
    bits[(bits & np.uint32(0x7FFFFFFF)) > 0x7F800000] = 0
    return bits


def half_range(count):
    """Bit patterns between 2^-26 and 2^17 and their negatives, where half has its values."""
    low, high = 101 << 23, 144 << 23
    i = np.arange(count, dtype=np.uint64)
    bits = (low + i * np.uint64(2654435761) % np.uint64(high - low)).astype(np.uint32)
    return bits | ((i & np.uint64(1)).astype(np.uint32) << np.uint32(31))


def to_bfloat16(bits):
    t = torch.from_numpy(bits.view(np.float32).copy()).to(torch.bfloat16)
    return t.view(torch.int16).numpy().view(np.uint16)


def small_float_vectors():
    out = {}
    patterns = np.arange(65536, dtype=np.uint32).astype(np.uint16)
    widened = patterns.view(np.float16).astype(np.float32).view(np.uint32)
    widened[np.isnan(patterns.view(np.float16))] = 0
    out["half_to_float_checksum"] = checksum(widened)

    # Every finite half, the middle to its upper neighbour, and the floats beside that middle.
    h = np.arange(0x7C00, dtype=np.uint32).astype(np.uint16).view(np.float16).astype(np.float64)
    upper = np.append(h[1:], 65536.0)
    middle = ((h + upper) / 2).astype(np.float32).view(np.uint32)
    near = np.concatenate([middle - np.uint32(1), middle, middle + np.uint32(1)])
    with np.errstate(over="ignore", under="ignore"):
        out["float_to_half_middle_checksum"] = checksum(
            near.view(np.float32).astype(np.float16).view(np.uint16))
        for name, bits in (("sweep", sweep(1 << 20)), ("range", half_range(1 << 20))):
            out[f"float_to_half_{name}_checksum"] = checksum(
                bits.view(np.float32).astype(np.float16).view(np.uint16))
        edges = np.array([0.0, -0.0, 1.0, -1.0, 65504, 65519.996, 65520, 65536, 1e30, np.inf, -np.inf,
                          2**-14, 2**-14 - 2**-25, 2**-24, 2**-25, 2**-25 * 1.0000001, 2**-26,
                          -(2**-25) * 1.5, 1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-11 + 2**-20,
                          1.1754944e-38, 1e-45, 3.4028235e38], np.float32)
        out["edges"] = edges.view(np.uint32)
        out["edges_half"] = edges.astype(np.float16).view(np.uint16)
    out["edges_bfloat16"] = to_bfloat16(out["edges"])
    out["float_to_bfloat16_sweep_checksum"] = checksum(to_bfloat16(sweep(1 << 20)))
    ties = (np.arange(1 << 16, dtype=np.uint32) << np.uint32(16)) | np.uint32(0x8000)
    ties[(ties & np.uint32(0x7FFFFFFF)) > 0x7F800000] = 0
    out["float_to_bfloat16_ties_checksum"] = checksum(to_bfloat16(ties))
    return out


# --- core/fixed_point.npz ---


def truncated_division(a, b):
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def srdhm(a, b):
    if a == b == -(1 << 31):
        return (1 << 31) - 1
    ab = a * b
    nudge = (1 << 30) if ab >= 0 else 1 - (1 << 30)
    return truncated_division(ab + nudge, 1 << 31)


def rdbypot(x, e):
    mask = (1 << e) - 1
    return (x >> e) + (1 if (x & mask) > ((mask >> 1) + (1 if x < 0 else 0)) else 0)


def double_rounding(x, m, shift):
    return rdbypot(srdhm(x * (1 << max(shift, 0)), m), max(-shift, 0))


def single_rounding(x, m, shift):
    return (x * m + (1 << (30 - shift))) >> (31 - shift)


def quantize_multiplier(m):
    q, shift = math.frexp(m)
    scaled = fractions.Fraction(q) * (1 << 31)
    fixed = math.floor(scaled + fractions.Fraction(1, 2))  # C's round, for positive values
    if fixed == 1 << 31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return (1 << 31) - 1, 30
    return fixed, shift


def fixed_point_vectors():
    rng = random.Random(1)
    int_min, int_max = -(1 << 31), (1 << 31) - 1
    edges = [int_min, int_min + 1, -(1 << 30), -65536, -3, -2, -1, 0, 1, 2, 3, 255, 65536, 1 << 30,
             int_max - 1, int_max]

    def any_int():
        bits = rng.randrange(1, 32)
        return rng.randrange(-(1 << bits), 1 << bits)

    pairs = [(a, b) for a in edges for b in edges] + [(any_int(), any_int()) for _ in range(400)]
    powers = [(x, e) for x in edges for e in range(32)] + [
        (any_int(), rng.randrange(32)) for _ in range(300)]

    cases = []
    for shift in range(-31, 31):
        for _ in range(14):
            m = rng.choice([1 << 30, int_max, rng.randrange(1 << 30, 1 << 31)])
            # TFLite's left shift must not overflow, and neither must the result.
            bits = 31 - max(shift, 0)
            x = rng.randrange(-(1 << bits), 1 << bits) if bits > 0 else rng.choice([-1, 0])
            if shift <= 0 and rng.random() < 0.2:
                x = rng.choice(edges)
            results = double_rounding(x, m, shift), single_rounding(x, m, shift)
            if all(int_min <= r <= int_max for r in results):
                cases.append((x, m, shift) + results)

    factors = [1.0, 0.5, 2.0**-31, 2.0**-32, 2.0**-33, 1 - 2.0**-53, 1 - 2.0**-32, 1 - 2.0**-33,
               0.75, 3.0, 2.0**29, 2.0**30 - 1, 2.0**30, 2.0**31, 1e300, 1e-300, 5e-324, 2**-1074 * 3,
               0.1, 1 / 3, 2.0**-32 * (1 - 2.0**-53), 0.00037, 1.0000000001]
    factors += [math.exp(rng.uniform(-21.0, 20.0)) for _ in range(200)]
    multipliers = [quantize_multiplier(f) for f in factors]

    # XNNPACK: lrintf(clamp(float(acc) * scale, min - zp, max - zp)) + zp; ONNX: zp before rint.
    acc = np.array([any_int() for _ in range(600)] + edges, np.int64).astype(np.float32)
    scale = np.array([math.exp(rng.uniform(-12.0, 0.0)) for _ in range(len(acc))], np.float32)
    scale[::3] = 0.5 ** (np.arange(len(scale[::3])) % 12)  # exact: many ties
    zp = np.array([rng.randrange(-128, 128) for _ in range(len(acc))], np.float32)
    nearest = np.rint(np.clip(acc * scale, np.float32(-128) - zp, np.float32(127) - zp)) + zp
    onnx = np.clip(np.rint(acc * scale + zp), -128, 127)

    def i32(values):
        return np.array(values, np.int64).astype(np.int32)

    return {
        "srdhm": i32([(a, b, srdhm(a, b)) for a, b in pairs]),
        "rdbypot": i32([(x, e, rdbypot(x, e)) for x, e in powers]),
        "scaled": i32(cases),
        "factors": np.array(factors, np.float64),
        "multipliers": i32(multipliers),
        "acc": i32([int(a) for a in np.clip(acc.astype(np.int64), int_min, int_max)]),
        "scale": scale,
        "zero_point": zp.astype(np.int32),
        "nearest": nearest.astype(np.int32),
        "onnx": onnx.astype(np.int32),
    }


# --- core/rounding.npz ---


def rounding_vectors():
    rng = random.Random(2)
    x = [k / 4 for k in range(-20, 21)]
    x += [0.5 - 2.0**-54, -(0.5 - 2.0**-54), 0.5 + 2.0**-53, 2.0**50 + 0.5, 2.0**50 + 1.5,
          -(2.0**50) - 0.5, 2.0**50 - 0.5, 1e-310, -1e-310, 8388607.5, 4194303.25, 2147483646.5]
    x += [rng.uniform(-1, 1) * 10 ** rng.randrange(0, 15) for _ in range(150)]
    x += [rng.randrange(-10**6, 10**6) + 0.5 for _ in range(50)]
    x = np.array(x, np.float64)

    def half_away(v):
        f = abs(fractions.Fraction(float(v))) + fractions.Fraction(1, 2)
        return math.floor(f) * (1 if v >= 0 else -1)

    f = x[np.abs(x) < 2.0**30].astype(np.float32)
    return {
        "double": x,
        "double_half_even": np.array([round(float(v)) for v in x], np.int64),
        "double_half_away": np.array([half_away(v) for v in x], np.int64),
        "float": f,
        "float_half_even": np.rint(f).astype(np.int32),
        "float_half_away": np.array([half_away(v) for v in f], np.int32),
    }


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for name, vectors in (("io/npy.npz", npy_vectors()),
                          ("core/small_float.npz", small_float_vectors()),
                          ("core/fixed_point.npz", fixed_point_vectors()),
                          ("core/rounding.npz", rounding_vectors())):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vectors)
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
