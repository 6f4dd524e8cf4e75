#!/usr/bin/env python3
"""Writes the reference values of tests/quantize into tests/vectors/quantize.

    python3 tools/make_quantize_vectors.py [--onnx DIR] [--check]

--onnx   the conformance data of ONNX, by default /usr/share/libonnx-testdata/data/node
--check  compares with the files that are there instead of writing them

Needs PyTorch 1.13, onnx and NumPy; Debian 12 has them as python3-torch, python3-onnx,
python3-numpy and libonnx-testdata. The output is the same at every run.

Where the values come from:
  pytorch  PyTorch itself: MinMaxObserver, PerChannelMinMaxObserver, quantize_per_tensor,
           quantize_per_channel, dequantize, _choose_qparams_per_tensor
  onnx     the conformance vectors as they are; for more values than those hold, the definitions of
           QuantizeLinear and DynamicQuantizeLinear in NumPy's float32, and for symmetric scales
           compute_scale_zp of ONNX Runtime's tools/quantization/quant_utils.py
  tflite   ChooseQuantizationParams (double) and AffineQuantize (float division, ties away from
           zero), and scale = amax / 127 for symmetric codes, written here from their definitions:
           Python's floats are doubles, and its integers and fractions round exactly
  compressed-tensors  calculate_qparams and quantize, from their definitions, in PyTorch
Scales of onnx and tflite whose inverse is infinite in float count as 0, as they do in the library.
"""
import argparse
import fractions
import io
import pathlib
import sys

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch.ao.quantization.observer import MinMaxObserver, PerChannelMinMaxObserver

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "quantize"

f32 = np.float32
# The order of all arrays that hold one row for each of these.
CODES = [("s8", torch.qint8, -128, 127), ("u8", torch.quint8, 0, 255)]
SCHEMES = ["symmetric", "asymmetric"]


# --- PyTorch ---

def torch_params(observer, x):
    observer(x)
    scale, zero_point = observer.calculate_qparams()
    return scale.numpy().astype(f32), zero_point.numpy().astype(np.int32)


def observe(x, axis):
    """Scales and zero points [4, channels], codes [2, ...] a type, values back [4, ...]."""
    scales, zeros, codes, back = [], [], {"s8": [], "u8": []}, []
    t = torch.from_numpy(x)
    for name, dtype, _, _ in CODES:
        for scheme in SCHEMES:
            per = "per_tensor" if axis is None else "per_channel"
            kind = "symmetric" if scheme == "symmetric" else "affine"
            qscheme = getattr(torch, f"{per}_{kind}")
            if axis is None:
                observer = MinMaxObserver(dtype=dtype, qscheme=qscheme)
            else:
                observer = PerChannelMinMaxObserver(ch_axis=axis, dtype=dtype, qscheme=qscheme)
            scale, zero = torch_params(observer, t)
            if axis is None:
                q = torch.quantize_per_tensor(t, float(scale[0]), int(zero[0]), dtype)
            else:
                q = torch.quantize_per_channel(t, torch.from_numpy(scale), torch.from_numpy(zero),
                                               axis, dtype)
            scales.append(scale)
            zeros.append(zero)
            codes[name].append(q.int_repr().numpy())
            back.append(q.dequantize().numpy())
    return {"scales": np.stack(scales), "zero_points": np.stack(zeros),
            "codes_s8": np.stack(codes["s8"]), "codes_u8": np.stack(codes["u8"]),
            "back": np.stack(back)}


def observers():
    rng = np.random.default_rng(1)
    inputs = {
        "normal": rng.standard_normal((9, 37)).astype(f32),
        "positive": rng.uniform(0.5, 3.0, (3, 17)).astype(f32),
        "negative": rng.uniform(-3.0, -0.5, (3, 17)).astype(f32),
        "zeros": np.zeros((2, 3), f32),
        "one": np.array([[-0.75]], f32),
        "denormal": np.array([[1e-40, -3e-41, 0.0, -0.0, 1e-45]], f32),
        "tiny": (rng.standard_normal((2, 19)) * 1e-7).astype(f32),
        "huge": (rng.standard_normal((2, 19)) * 1e37).astype(f32),
        # Every code and every tie of a scale of 1: 127.5 and -127.5 make the symmetric scale 1.
        "ties": np.arange(-127.5, 128.0, 0.5, f32).reshape(7, 73),
    }
    out = {}
    for name, x in inputs.items():
        out[f"{name}_x"] = x
        for key, value in observe(x, None).items():
            out[f"{name}_{key}"] = value
    channels = rng.standard_normal((4, 5, 6)).astype(f32)
    channels *= np.array([1e-3, 1.0, 50.0, 1e-10], f32)[:, None, None]
    channels[:, 2, :] = 0.0         # channels of zeros
    channels[:, :, 3] = 0.25        # and constant ones
    out["channels_x"] = channels
    for axis in range(3):
        for key, value in observe(channels, axis).items():
            out[f"channels{axis}_{key}"] = value
    return out


# --- ranges: scale and zero point ---

def random_ranges():
    rng = np.random.default_rng(2)
    ends = rng.standard_normal((60, 2)) * 10.0 ** rng.uniform(-6, 3, (60, 1))
    extreme = rng.standard_normal((40, 2)) * 10.0 ** rng.uniform(-46, 37, (40, 1))
    lopsided = rng.uniform(-1, 1, (40, 2)) * 10.0 ** rng.uniform(-6, 3, (40, 2))
    # The zero point falls on a tie: scale 1, 0.25 and 2, min (k + 0.5) steps below 0.
    ties = [(-(k + 0.5) * s, (254.5 - k) * s) for k in range(0, 254, 17) for s in (1.0, 0.25, 2.0)]
    # The next float below and above such a minimum leaves the scale as it is.
    near = [(float(np.nextafter(f32(-(k + 0.5)), f32(to))), 254.5 - k)
            for k in range(0, 24) for to in (0, -1000)]
    special = [(0, 0), (0.5, 0.5), (-0.5, -0.5), (0, 1), (-1, 0), (1, 2), (-2, -1), (0, 1e-45),
               (-1e-45, 0), (-1e-45, 1e-45), (0, 1e-38), (-1e-40, 3e-39), (0, 3e-36), (0, 3e-39),
               (-255, 0), (0, 255), (-127.5, 127.5), (-128, 127), (-127, 127), (0, 0.0155),
               (0, 0.0156), (-0.001, 0.002), (-1e-4, 0), (0, 1e-4), (-1e-3, 1e-3), (-1e-30, 2e-30),
               (0, 7.5e-37), (-3e-5, 3e-5), (0, 3.4e38), (-3.4e38, 0), (-1e38, 1.5e38)]
    both = np.concatenate([ends, extreme, lopsided, np.array(ties), np.array(near),
                           np.array(special, float)])
    both = np.sort(both.astype(f32), axis=1)
    return both[:, 0].copy(), both[:, 1].copy()


def torch_ranges(mins, maxs):
    scales, zeros = [], []
    for _, dtype, _, _ in CODES:
        for scheme in SCHEMES:
            kind = "symmetric" if scheme == "symmetric" else "affine"
            observer = PerChannelMinMaxObserver(
                ch_axis=0, dtype=dtype, qscheme=getattr(torch, f"per_channel_{kind}"))
            scale, zero = torch_params(observer, torch.from_numpy(np.stack([mins, maxs], 1)))
            scales.append(scale)
            zeros.append(zero)
    return np.stack(scales), np.stack(zeros)


def torch_dynamic(mins, maxs):
    pairs = [torch._choose_qparams_per_tensor(torch.tensor([a, b]), False)
             for a, b in zip(mins, maxs)]
    return (np.array([s for s, _ in pairs], np.float64).astype(f32),
            np.array([z for _, z in pairs], np.int32))


def is_nothing(scale):
    with np.errstate(divide="ignore", over="ignore"):
        return not np.isfinite(f32(1) / f32(scale))


def onnx_range(low, high, scheme, name, qmin, qmax):
    zero = f32(0)
    low, high = min(low, zero), max(high, zero)
    if scheme == "asymmetric":  # DynamicQuantizeLinear
        scale = f32(high - low) / f32(qmax - qmin)
        if is_nothing(scale):
            scale = f32(1)
        from_min = f32(qmin) - f32(low / scale)
        return scale, int(np.rint(np.clip(from_min, f32(qmin), f32(qmax))))
    if name == "s8":
        qmin = -127
    largest = float(max(abs(low), abs(high)))
    scale = f32((largest + largest) / (float(qmax) - float(qmin)))
    if scale < np.finfo(f32).tiny:
        scale = f32(1)
    return scale, int(np.round((qmin + qmax) / 2.0))


def round_half_away(x):
    """Of an exact number to an integer."""
    x = fractions.Fraction(float(x))
    whole = int(abs(x) + fractions.Fraction(1, 2))
    return whole if x >= 0 else -whole


def tflite_range(low, high, scheme, name, qmin, qmax):
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if scheme == "symmetric":
        scale = f32(max(-low, high)) / f32(127)
        return (f32(1) if is_nothing(scale) else scale), (0 if name == "s8" else 128)
    scale = (high - low) / (float(qmax) - float(qmin))
    if is_nothing(scale):
        return f32(1), 0
    from_min, from_max = qmin - low / scale, qmax - high / scale
    error_min = abs(float(qmin)) + abs(low / scale)
    error_max = abs(float(qmax)) + abs(high / scale)
    zero = from_min if error_min < error_max else from_max
    zero = qmin if zero < qmin else qmax if zero > qmax else round_half_away(zero)
    return f32(scale), zero


def by_rule(rule, mins, maxs):
    scales, zeros = [], []
    for name, _, qmin, qmax in CODES:
        for scheme in SCHEMES:
            pairs = [rule(a, b, scheme, name, qmin, qmax) for a, b in zip(mins, maxs)]
            scales.append([s for s, _ in pairs])
            zeros.append([z for _, z in pairs])
    return np.array(scales, f32), np.array(zeros, np.int32)


def ranges():
    mins, maxs = random_ranges()
    out = {"mins": mins, "maxs": maxs}
    out["pytorch_scales"], out["pytorch_zero_points"] = torch_ranges(mins, maxs)
    out["onnx_scales"], out["onnx_zero_points"] = by_rule(onnx_range, mins, maxs)
    out["tflite_scales"], out["tflite_zero_points"] = by_rule(tflite_range, mins, maxs)
    out["dynamic_scales"], out["dynamic_zero_points"] = torch_dynamic(mins, maxs)
    return out


# --- elements: codes for given parameters ---

def elements():
    rng = np.random.default_rng(3)
    scales = np.array([1.0, 0.5, 0.1, 0.00214854861, 3.0, 1e-3, 0.0039215689, 7.7e-30, 1.3e30,
                       2.0 ** -126, 2.0 ** 127, 6.1e-5], f32)
    count = 240
    steps = np.concatenate([np.arange(-140, 140, 2) + 0.5, rng.uniform(-300, 300, 60),
                            rng.uniform(-1, 1, 20), rng.uniform(-1e6, 1e6, 20)])[:count]
    x = np.zeros((len(scales), count), f32)
    for p, scale in enumerate(scales):
        with np.errstate(over="ignore"):
            row = (steps * float(scale)).astype(f32)
            # Neighbours of ties, where a product with the inverse and a quotient part ways.
            row[1::3] = np.nextafter(row[1::3], f32(0))
            row[2::7] = np.nextafter(row[2::7], f32(np.inf))
        row[~np.isfinite(row)] = scale
        row[:6] = [0.0, -0.0, 1e-45, -1e-40, scale, -scale]
        x[p] = row
    x[3, 6] = f32(0.273939937)
    zero_s8 = np.array([0, 3, -128, 0, 127, -7, 0, 64, 0, -1, 0, 12], np.int32)
    zero_u8 = np.array([0, 128, 255, 0, 127, 131, 1, 64, 128, 200, 128, 12], np.int32)
    out = {"x": x, "scales": scales, "zero_points_s8": zero_s8, "zero_points_u8": zero_u8}
    for (name, dtype, qmin, qmax), zeros in zip(CODES, (zero_s8, zero_u8)):
        rows = {"pytorch": [], "onnx": [], "tflite": []}
        back = []
        for p, scale in enumerate(scales):
            zero = int(zeros[p])
            q = torch.quantize_per_tensor(torch.from_numpy(x[p]), float(scale), zero, dtype)
            rows["pytorch"].append(q.int_repr().numpy())
            back.append(q.dequantize().numpy())
            with np.errstate(over="ignore", under="ignore"):
                quotient = x[p] / scale
            assert quotient.dtype == f32
            rows["onnx"].append(np.clip(np.rint(quotient) + f32(zero), qmin, qmax))
            rows["tflite"].append([min(max(round_half_away(v) + zero, qmin), qmax)
                                   for v in quotient])
        for rule, values in rows.items():
            out[f"{rule}_{name}"] = np.array(values).astype(np.int8 if name == "s8" else np.uint8)
        out[f"back_{name}"] = np.array(back, f32)
    return out


# --- the conformance vectors ---

def onnx_conformance(folder):
    tests = {
        "quantizelinear": (["x", "scale", "zero_point"], ["y"]),
        "quantizelinear_axis": (["x", "scale", "zero_point"], ["y"]),
        "dequantizelinear": (["x", "scale", "zero_point"], ["y"]),
        "dequantizelinear_axis": (["x", "scale", "zero_point"], ["y"]),
        "dynamicquantizelinear": (["x"], ["y", "scale", "zero_point"]),
        "dynamicquantizelinear_max_adjusted": (["x"], ["y", "scale", "zero_point"]),
        "dynamicquantizelinear_min_adjusted": (["x"], ["y", "scale", "zero_point"]),
    }
    out = {}
    for test, (inputs, outputs) in tests.items():
        data = pathlib.Path(folder) / f"test_{test}" / "test_data_set_0"
        names = [(f"input_{i}", n) for i, n in enumerate(inputs)]
        names += [(f"output_{i}", n) for i, n in enumerate(outputs)]
        for file, name in names:
            proto = onnx.TensorProto()
            proto.ParseFromString((data / f"{file}.pb").read_bytes())
            value = onnx.numpy_helper.to_array(proto)
            if name == "zero_point":
                value = value.astype(np.int32)
            out[f"{test}_{name}"] = np.atleast_1d(value)
    return out


def few_bits():
    """Codes of 2 to 7 bits: observers with a range of codes, and fake_quantize, whose codes are exact."""
    rng = np.random.default_rng(6)
    x = (rng.normal(size=(7, 45)) * rng.uniform(0.01, 10, (7, 1))).astype(f32)
    x[2] = np.abs(x[2])
    x[3] = 0
    out = {"x": x}
    t = torch.from_numpy(x)
    for bits in (2, 3, 4, 7):
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        for scheme in SCHEMES:
            kind = "symmetric" if scheme == "symmetric" else "affine"
            observer = PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, quant_min=low,
                                                qscheme=getattr(torch, f"per_channel_{kind}"),
                                                quant_max=high)
            scale, zero = torch_params(observer, t)
            back = torch.fake_quantize_per_channel_affine(
                t, torch.from_numpy(scale), torch.from_numpy(zero), 0, low, high).numpy()
            codes = np.rint(back.astype(np.float64) / scale[:, None]).astype(np.int64) + zero[:, None]
            assert codes.min() >= low and codes.max() <= high
            out.update({f"{scheme}{bits}_scales": scale, f"{scheme}{bits}_zero_points": zero,
                        f"{scheme}{bits}_codes": codes.astype(np.int8)})
    return out


# --- further rules: compressed-tensors, spans of codes, blocks, rows of activations ---

def compressed_tensors_params(low, high, qmin, qmax, symmetric):
    """calculate_qparams of quantization/utils/helpers.py, its tensors of float32."""
    low, high = torch.clamp(low, max=0), torch.clamp(high, min=0)
    span = torch.tensor(float(qmax - qmin))
    if symmetric:
        scale = torch.maximum(low.abs(), high.abs()) / (float(qmax - qmin) / 2)
        zero = torch.zeros_like(scale)
    else:
        scale = (high - low) / span
        zero = torch.clamp(qmin - low / scale, qmin, qmax)
        zero = torch.where(scale == 0, torch.tensor(float(qmin)), zero)  # there it is a NaN
    scale = torch.where(scale == 0, torch.tensor(torch.finfo(torch.float32).eps), scale)
    return scale, torch.round(zero)


def compressed_tensors_codes(x, scale, zero, qmin, qmax):
    """quantize of quantization/lifecycle/forward.py: the clamp before the rounding."""
    return torch.round(torch.clamp(x / scale + zero, qmin, qmax))


def schemes():
    rng = np.random.default_rng(8)
    x = (rng.normal(size=(6, 64)) * rng.uniform(0.01, 10, (6, 1))).astype(f32)
    x[1] = np.abs(x[1])
    x[2] = 0
    x[3, :33] = np.arange(-16, 17) / 2  # ties, where a zero point is added before or after them
    out = {"x": x}
    t = torch.from_numpy(x)
    low, high = t.amin(1), t.amax(1)
    for bits in (4, 8):
        qmin, qmax = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        for scheme in SCHEMES:
            scale, zero = compressed_tensors_params(low, high, qmin, qmax, scheme == "symmetric")
            codes = compressed_tensors_codes(t, scale[:, None], zero[:, None], qmin, qmax)
            out.update({f"ct_{scheme}{bits}_scales": scale.numpy(),
                        f"ct_{scheme}{bits}_zero_points": zero.numpy().astype(np.int32),
                        f"ct_{scheme}{bits}_codes": codes.numpy().astype(np.int8)})
        # PyTorch's observers where the user asks for codes without the lowest, and ONNX's rounding
        # with all of them.
        observer = PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, quant_min=qmin + 1,
                                            quant_max=qmax,
                                            qscheme=torch.per_channel_symmetric)
        scale, _ = torch_params(observer, t)
        back = torch.fake_quantize_per_channel_affine(
            t, torch.from_numpy(scale), torch.zeros(6, dtype=torch.int32), 0, qmin + 1, qmax)
        out[f"restricted{bits}_scales"] = scale
        out[f"restricted{bits}_codes"] = np.rint(
            back.numpy().astype(np.float64) / scale[:, None]).astype(np.int8)
        scale = np.abs(x).max(1) / f32((qmax - qmin) / 2)
        scale[scale == 0] = 1
        out[f"full{bits}_scales"] = scale
        out[f"full{bits}_codes"] = np.clip(np.rint(x / scale[:, None]), qmin, qmax).astype(np.int8)
    # Rows of activations.
    rows = {"pytorch": ([], [], []), "onnx": ([], [], [])}
    for row in x:
        scale, zero = torch._choose_qparams_per_tensor(torch.from_numpy(row), False)
        q = torch.quantize_per_tensor(torch.from_numpy(row), scale, zero, torch.quint8)
        for to, value in zip(rows["pytorch"], (f32(scale), zero, q.int_repr().numpy())):
            to.append(value)
        scale, zero = onnx_range(row.min(), row.max(), "asymmetric", "u8", 0, 255)
        codes = np.clip(np.rint(row / scale) + f32(zero), 0, 255)
        for to, value in zip(rows["onnx"], (scale, zero, codes)):
            to.append(value)
    for rule, (scales, zeros, codes) in rows.items():
        out.update({f"rows_{rule}_scales": np.array(scales, f32),
                    f"rows_{rule}_zero_points": np.array(zeros, np.int32),
                    f"rows_{rule}_codes": np.array(codes, np.uint8)})
    # ONNX QuantizeLinear with blocks along each axis, whose scales repeat.
    cube = (rng.normal(size=(3, 7, 5)) * 4).astype(f32)
    out["blocks_x"] = cube
    for axis, block in ((0, 2), (1, 3), (2, 4)):
        starts = range(0, cube.shape[axis], block)
        parts = np.split(cube, list(starts)[1:], axis)
        params = [[onnx_range(lo, hi, "asymmetric", "u8", 0, 255)
                   for lo, hi in zip(p.min(axis).ravel(), p.max(axis).ravel())] for p in parts]
        shape = list(cube.shape)
        del shape[axis]
        scales = np.stack([np.array([s for s, _ in p], f32).reshape(shape) for p in params], axis)
        zeros = np.stack([np.array([z for _, z in p], f32).reshape(shape) for p in params], axis)
        repeat = [np.repeat(a, block, axis).take(range(cube.shape[axis]), axis)
                  for a in (scales, zeros)]
        codes = np.clip(np.rint(cube / repeat[0]) + repeat[1], 0, 255)
        back = ((codes - repeat[1]).astype(f32) * repeat[0]).astype(f32)
        out.update({f"blocks{axis}_scales": scales, f"blocks{axis}_back": back,
                    f"blocks{axis}_zero_points": zeros.astype(np.int32),
                    f"blocks{axis}_codes": codes.astype(np.uint8)})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", default="/usr/share/libonnx-testdata/data/node")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not torch.__version__.startswith("1.13"):
        sys.exit(f"the values are those of PyTorch 1.13, this is {torch.__version__}")

    files = {"observers": observers(), "ranges": ranges(), "elements": elements(),
             "onnx_conformance": onnx_conformance(options.onnx), "few_bits": few_bits(),
             "schemes": schemes()}
    OUT.mkdir(parents=True, exist_ok=True)
    different = False
    for name, arrays in files.items():
        path = OUT / f"{name}.npz"
        if options.check:
            with np.load(io.BytesIO(path.read_bytes())) as old:
                same = sorted(old.files) == sorted(arrays) and all(
                    old[k].dtype == v.dtype and old[k].tobytes() == v.tobytes()
                    for k, v in arrays.items())
            print(f"{path.name}: {'same' if same else 'different'}")
            different = different or not same
        else:
            np.savez(path, **arrays)
            print(f"{path.name}: {path.stat().st_size} bytes")
    sys.exit(different)


if __name__ == "__main__":
    main()
