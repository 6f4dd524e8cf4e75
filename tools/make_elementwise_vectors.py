#!/usr/bin/env python3
"""Reference values for the operators around the products: sums, pooling, softmax, tables, requantization.

    /usr/bin/python3 tools/make_elementwise_vectors.py

Writes tests/vectors/kernels/{add,pool,softmax,table,hard_swish,requantize}.npz and tests/vectors/quantize/fold_batch_norm.npz.
Needs python3-torch for the last. TensorFlow Lite is not packaged for Python: its reference kernels are transcribed here
into integers of unlimited size, step by step as they stand there, with truncation and saturation as in C. Nothing is
simplified, so that shorter forms of the same arithmetic can be tested against it.
"""
import math
import pathlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors"
INT32_MAX, INT32_MIN = 2**31 - 1, -2**31
TYPES = {"s8": (np.int8, -128, 127), "u8": (np.uint8, 0, 255)}


# --- gemmlowp's fixedpoint.h and TensorFlow Lite's common.h ---


def c_divide(a, b):
    """Integer division of C: towards zero."""
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def c_round(x):
    """std::round: ties away from zero."""
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def srdhm(a, b):
    if a == b == INT32_MIN:
        return INT32_MAX
    nudge = 2**30 if a * b >= 0 else 1 - 2**30
    return c_divide(a * b + nudge, 2**31)


def rounding_divide_by_pot(x, exponent):
    assert 0 <= exponent <= 31
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def saturating_multiply_by_pot(x, exponent):
    if exponent < 0:
        return rounding_divide_by_pot(x, -exponent)
    return min(max(x << exponent, INT32_MIN), INT32_MAX)


def quantize_multiplier(m):
    if m == 0:
        return 0, 0
    fraction, shift = math.frexp(m)
    q = math.floor(fraction * 2**31 + 0.5)
    if q == 2**31:
        q //= 2
        shift += 1
    return (0, 0) if shift < -31 else (q, shift)


def multiply(x, multiplier, shift, rule):
    """MultiplyByQuantizedMultiplier, with either rounding."""
    assert abs(x) < 2**31
    if rule == "single":
        total = 31 - shift
        return (x * multiplier + (1 << (total - 1))) >> total
    left, right = max(shift, 0), max(-shift, 0)
    assert abs(x << left) < 2**31
    return rounding_divide_by_pot(srdhm(x << left, multiplier), right)


def clamp(x, low, high):
    return min(max(x, low), high)


def activation_limits(act, scale, zero, low, high):
    """CalculateActivationRangeQuantized."""
    def quantize(f):
        return zero + c_round(float(np.float32(f) / scale))
    if act == "relu":
        return max(low, quantize(0)), high
    if act == "relu6":
        return max(low, quantize(0)), min(high, quantize(6))
    return low, high


# --- ADD ---


def add(a, b, scales, zeros, limits, rule):
    sa, sb, sy = (float(s) for s in scales)
    twice = 2 * max(sa, sb)
    ma, mb = quantize_multiplier(sa / twice), quantize_multiplier(sb / twice)
    my = quantize_multiplier(twice / ((1 << 20) * sy))
    out = []
    for x, y in zip(a.tolist(), b.tolist()):
        left = multiply((x - zeros[0]) * (1 << 20), *ma, rule)
        right = multiply((y - zeros[1]) * (1 << 20), *mb, rule)
        out.append(clamp(multiply(left + right, *my, rule) + zeros[2], *limits))
    return out


def add_vectors():
    rng = np.random.default_rng(11)
    arrays = {}
    cases = [  # type, scales of a, b and y, activation
        ("s8", 0.05, 0.03, 0.06, "none"), ("s8", 0.02, 0.02, 0.02, "none"), ("s8", 0.5, 0.0001, 0.5, "relu"),
        ("s8", 0.004, 0.09, 0.0235, "relu6"), ("u8", 0.03, 0.05, 0.06, "none"), ("u8", 0.25, 0.5, 0.25, "relu6"),
        ("s8", 1.0, 0.5, 1.0, "none"), ("u8", 1e-3, 1e-3, 1.0, "relu"), ("s8", 1.0, 2e-10, 1.5, "none"),
        ("s8", 100.0, 90.0, 1e-3, "none"),
    ]
    for i, (code, sa, sb, sy, act) in enumerate(cases):
        dtype, low, high = TYPES[code]
        scales = np.array([sa, sb, sy], np.float32)
        zeros = [int(z) for z in rng.integers(low, high + 1, 3)]
        a, b = (rng.integers(low, high + 1, 300) for _ in range(2))
        limits = activation_limits(act, scales[2], zeros[2], low, high)
        arrays.update({f"a{i}": a.astype(dtype), f"b{i}": b.astype(dtype), f"scales{i}": scales,
                       f"zeros{i}": np.array(zeros, np.int32), f"limits{i}": np.array(limits, np.int32),
                       f"signed{i}": np.int32(code == "s8"),
                       f"act{i}": np.int32(["none", "relu", "relu6"].index(act))})
        for rule in ("double", "single"):
            arrays[f"y_{rule}{i}"] = np.array(add(a, b, scales, zeros, limits, rule), dtype)
    np.savez(OUT / "kernels" / "add.npz", cases=np.int32(len(cases)), **arrays)


# --- MAX_POOL_2D, AVERAGE_POOL_2D, MEAN ---


def same_padding(size, taps, stride):
    """ComputePaddingWithOffset: outputs, before, after."""
    outputs = (size + stride - 1) // stride
    total = max((outputs - 1) * stride + taps - size, 0)
    return outputs, total // 2, total - total // 2


def pool(x, kind, window, limits):
    kh, kw, sy, sx, top, bottom, left, right = window
    n, h, w, c = x.shape
    oh, ow = (h + top + bottom - kh) // sy + 1, (w + left + right - kw) // sx + 1
    y = np.zeros((n, oh, ow, c), np.int64)
    for b in range(n):
        for i in range(oh):
            for j in range(ow):
                i0, j0 = i * sy - top, j * sx - left
                part = x[b, max(i0, 0):min(i0 + kh, h), max(j0, 0):min(j0 + kw, w)].reshape(-1, c)
                for k in range(c):
                    codes = [int(v) for v in part[:, k]]
                    if kind == "max":
                        value = max(codes)
                    else:
                        acc, count = sum(codes), len(codes)
                        value = c_divide(acc + count // 2 if acc > 0 else acc - count // 2, count)
                    y[b, i, j, k] = clamp(value, *limits)
    return y


def mean(x, scales, zeros, low, high, rule):
    n, h, w, c = x.shape
    count = h * w
    multiplier, shift = quantize_multiplier(float(scales[0]) / float(scales[1]))
    up = min(count.bit_length() - 1, 32, 31 + shift)
    multiplier, shift = (multiplier << up) // count, shift - up
    y = np.zeros((n, c), np.int64)
    for b in range(n):
        for k in range(c):
            total = sum(int(v) for v in x[b, :, :, k].reshape(-1)) - zeros[0] * count
            y[b, k] = clamp(multiply(total, multiplier, shift, rule) + zeros[1], low, high)
    return y


def pool_vectors():
    rng = np.random.default_rng(12)
    arrays = {}
    cases = [  # type, shape, taps, strides, padding
        ("s8", (1, 6, 6, 3), (2, 2), (2, 2), "valid"), ("s8", (2, 7, 5, 4), (3, 3), (2, 2), "same"),
        ("u8", (1, 7, 8, 3), (3, 2), (1, 3), "same"), ("u8", (1, 5, 5, 17), (5, 5), (1, 1), "valid"),
        ("s8", (1, 4, 9, 2), (3, 4), (2, 3), (2, 1, 0, 3)), ("s8", (1, 5, 4, 1), (1, 1), (2, 3), "same"),
        ("u8", (1, 3, 3, 9), (4, 4), (1, 1), (3, 2, 1, 3)),
    ]
    for i, (code, shape, taps, strides, padding) in enumerate(cases):
        dtype, low, high = TYPES[code]
        if padding == "valid":
            pads = (0, 0, 0, 0)
        elif padding == "same":
            pads = same_padding(shape[1], taps[0], strides[0])[1:] + same_padding(shape[2], taps[1], strides[1])[1:]
        else:
            pads = padding
        window = taps + strides + pads
        limits = (low, high) if i % 2 == 0 else (low + 90, high - 60)
        x = rng.integers(low, high + 1, shape)
        arrays.update({f"x{i}": x.astype(dtype), f"window{i}": np.array(window, np.int64),
                       f"same{i}": np.int32(padding == "same"), f"limits{i}": np.array(limits, np.int32),
                       f"signed{i}": np.int32(code == "s8")})
        for kind in ("max", "average"):
            arrays[f"{kind}{i}"] = pool(x, kind, window, limits).astype(dtype)
    means = [("s8", (2, 7, 7, 5), 0.05, 0.05), ("s8", (1, 4, 8, 6), 0.02, 0.013), ("u8", (2, 3, 5, 4), 0.1, 0.023),
             ("u8", (1, 1, 1, 9), 0.5, 0.75), ("s8", (1, 14, 14, 3), 1.0, 0.01), ("s8", (1, 5, 3, 7), 1e-9, 1.0),
             ("s8", (4, 2, 3, 16), 0.5, 0.5)]
    for i, (code, shape, sx, sy) in enumerate(means):
        dtype, low, high = TYPES[code]
        scales = np.array([sx, sy], np.float32)
        zeros = [int(z) for z in rng.integers(low, high + 1, 2)]
        x = rng.integers(low, high + 1, shape)
        if sx == sy and shape[1] == 2:  # many ties
            x, zeros = rng.integers(-3, 4, shape), [0, 0]
        arrays.update({f"mean_x{i}": x.astype(dtype), f"mean_scales{i}": scales,
                       f"mean_zeros{i}": np.array(zeros, np.int32), f"mean_signed{i}": np.int32(code == "s8")})
        for rule in ("double", "single"):
            arrays[f"mean_{rule}{i}"] = mean(x, scales, zeros, low, high, rule).astype(dtype)
    np.savez(OUT / "kernels" / "pool.npz", cases=np.int32(len(cases)), means=np.int32(len(means)), **arrays)


# --- SOFTMAX ---


def exp_on_interval(a):
    """exp_on_interval_between_negative_one_quarter_and_0_excl."""
    constant_term, constant_1_over_3 = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = srdhm(x, x)
    x3 = srdhm(x2, x)
    x4 = srdhm(x2, x2)
    x4_over_4 = saturating_multiply_by_pot(x4, -2)
    series = saturating_multiply_by_pot(srdhm(x4_over_4 + x3, constant_1_over_3) + x2, -1)
    return constant_term + srdhm(constant_term, x + series)


def exp_on_negative_values(a, integer_bits=5):
    fractional_bits = 31 - integer_bits
    one_quarter = 1 << (fractional_bits - 2)
    a_mod = (a & (one_quarter - 1)) - one_quarter
    result = exp_on_interval(saturating_multiply_by_pot(a_mod, integer_bits))
    remainder = a_mod - a
    for exponent, multiplier in [(-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308), (2, 39332535),
                                 (3, 720401), (4, 242)]:
        if integer_bits > exponent and remainder & (1 << (fractional_bits + exponent)):
            result = srdhm(result, multiplier)
    return INT32_MAX if a == 0 else result


def one_over_one_plus_x(a):
    """one_over_one_plus_x_for_x_in_0_1: Q0 -> Q0."""
    total = a + INT32_MAX
    half_denominator = c_divide(total + (1 if total >= 0 else -1), 2)
    x = 1515870810 + srdhm(half_denominator, -1010580540)
    for _ in range(3):
        one_minus = (1 << 29) - srdhm(half_denominator, x)
        x += saturating_multiply_by_pot(srdhm(x, one_minus), 2)
    return saturating_multiply_by_pot(x, 1)


def softmax(x, scale, beta, low, high):
    real = min(float(beta) * float(scale) * (1 << 26), float(2**31 - 1))
    multiplier, left_shift = quantize_multiplier(real)
    diff_min = -math.floor(1.0 * 31 * (1 << 26) / (1 << left_shift))
    y = np.zeros(x.shape, np.int64)
    for i, row in enumerate(x.tolist()):
        most, total, exps = max(row), 0, []
        for v in row:
            diff = v - most
            if diff >= diff_min:
                exps.append(exp_on_negative_values(multiply(diff, multiplier, left_shift, "double")))
                total += saturating_multiply_by_pot(exps[-1], -12)
            else:
                exps.append(None)
        assert total < 2**31
        headroom_plus_one = 32 - total.bit_length()
        num_bits_over_unit = 12 - headroom_plus_one
        shifted_scale = one_over_one_plus_x((total << headroom_plus_one) - 2**31)
        for j, e in enumerate(exps):
            if e is None:
                y[i, j] = low
            else:
                unsaturated = rounding_divide_by_pot(srdhm(shifted_scale, e), num_bits_over_unit + 31 - 8)
                y[i, j] = clamp(unsaturated + low, low, high)
    return y


def softmax_vectors():
    rng = np.random.default_rng(13)
    arrays = {}
    cases = [  # type, shape, scale, beta, range of codes
        ("s8", (3, 10), 0.1, 1.0, 256), ("s8", (2, 4), 1.0, 1.0, 256), ("u8", (3, 12), 0.05, 1.0, 256),
        ("s8", (2, 33), 0.01, 0.5, 256), ("u8", (1, 1), 0.1, 1.0, 256), ("s8", (1, 300), 0.1, 1.0, 256),
        ("s8", (4, 300), 0.03, 1.0, 20), ("u8", (60, 7), 0.2, 2.0, 256), ("s8", (2, 8), 20.0, 1.0, 256),
        ("s8", (2, 16), 40.0, 1.0, 3), ("u8", (1, 511), 0.02, 1.0, 1), ("s8", (2, 5), 1e-7, 1.0, 256),
    ]
    for i, (code, shape, scale, beta, span) in enumerate(cases):
        dtype, low, high = TYPES[code]
        x = high + 1 - rng.integers(1, span + 1, shape)
        arrays.update({f"x{i}": x.astype(dtype), f"scale{i}": np.float32(scale), f"beta{i}": np.float32(beta),
                       f"signed{i}": np.int32(code == "s8"),
                       f"y{i}": softmax(x, np.float32(scale), np.float32(beta), low, high).astype(dtype)})
    # The exponential and the reciprocal alone.
    a = np.unique(np.concatenate([-rng.integers(0, 2**31, 400), -(2 ** np.arange(0, 31)), [0, INT32_MIN + 1],
                                  -(2**24) * np.arange(0, 128), -(2**24) * np.arange(0, 127) - 1]))
    sums = np.unique(np.concatenate([rng.integers(2**19, 2**31, 200), 2 ** np.arange(19, 31),
                                     2 ** np.arange(19, 32) - 1, 2 ** np.arange(19, 31) + 1]))
    sums = sums[sums >= 2**19]
    arrays.update(exp_a=a.astype(np.int32), exp=np.array([exp_on_negative_values(int(v)) for v in a], np.int32),
                  sums=sums.astype(np.int32),
                  scales=np.array([one_over_one_plus_x((int(s) << (32 - int(s).bit_length())) - 2**31) for s in sums],
                                  np.int32))
    np.savez(OUT / "kernels" / "softmax.npz", cases=np.int32(len(cases)), **arrays)


# --- tables: LUTPopulate ---

FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "gelu": lambda x: 0.5 * x * (1 + math.erf(x * math.sqrt(0.5))),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
}


def table_vectors():
    f32 = np.float32
    arrays = {}
    cases = [("sigmoid", "s8", 0.06, 10, "s8", 1 / 256, -128), ("sigmoid", "u8", 0.04, 128, "u8", 1 / 256, 0),
             ("tanh", "s8", 0.03, -5, "s8", 1 / 128, 0), ("tanh", "u8", 0.5, 3, "s8", 1 / 128, 0),
             ("gelu", "s8", 0.05, 0, "s8", 0.02, -119), ("gelu", "s8", 1.5, 20, "u8", 0.1, 7),
             ("hard_swish", "s8", 0.07, -3, "s8", 0.035, -118), ("hard_swish", "u8", 0.25, 128, "u8", 0.125, 3)]
    for i, (name, x_code, sx, zx, y_code, sy, zy) in enumerate(cases):
        x_type, x_low, x_high = TYPES[x_code]
        y_type, low, high = TYPES[y_code]
        inverse = f32(1) / f32(sy)
        y = []
        for x in range(x_low, x_high + 1):
            real = f32(sx) * f32(x - zx)
            y.append(clamp(c_round(float(f32(FUNCTIONS[name](float(real))) * inverse)) + zy, low, high))
        arrays.update({f"function{i}": np.int32(list(FUNCTIONS).index(name)), f"y{i}": np.array(y, y_type),
                       f"x_signed{i}": np.int32(x_code == "s8"), f"y_signed{i}": np.int32(y_code == "s8"),
                       f"scales{i}": np.array([sx, sy], f32), f"zeros{i}": np.array([zx, zy], np.int32)})
    np.savez(OUT / "kernels" / "table.npz", cases=np.int32(len(cases)), **arrays)


# --- HARD_SWISH ---


def srdhm16(a, b):
    if a == b == -2**15:
        return 2**15 - 1
    nudge = 2**14 if a * b >= 0 else 1 - 2**14
    return c_divide(a * b + nudge, 2**15)


def downscale(multiplier):
    """DownScaleInt32ToInt16Multiplier."""
    return 32767 if multiplier >= INT32_MAX - 2**15 else (multiplier + 2**15) >> 16


def saturating_left_shift(x, amount):
    return clamp(x * (1 << amount), -2**15, 2**15 - 1)


def hard_swish(x, sx, zx, sy, zy, low, high):
    f32 = np.float32
    hires = f32(1 / 128) * f32(sx)
    output_q31, output_exponent = quantize_multiplier(float(hires / f32(sy)))
    reluish_q31, reluish_exponent = quantize_multiplier(float(hires / f32(3 / 32768)))
    output_q15, reluish_q15 = downscale(output_q31), downscale(reluish_q31)
    assert output_exponent <= 0
    input_hires = (x - zx) * (1 << 7)
    preshift = srdhm16(input_hires, output_q15)
    reluish = input_hires
    if reluish_exponent > 0:
        reluish = saturating_left_shift(reluish, reluish_exponent - 1)
    reluish = srdhm16(reluish, reluish_q15)
    if reluish_exponent > 0:
        reluish = saturating_left_shift(reluish, 1)
    if reluish_exponent < 0:
        reluish = rounding_divide_by_pot(reluish, -reluish_exponent)
    reluish = (reluish + (1 << 15)) >> 1
    value = c_divide(reluish * preshift, 1 << 15)
    return clamp(rounding_divide_by_pot(value, -output_exponent) + zy, low, high)


def hard_swish_vectors():
    arrays = {}
    cases = [("s8", 0.07, -3, 0.035, -118), ("u8", 0.25, 128, 0.125, 3), ("s8", 0.01, 10, 0.006, -100),
             ("s8", 1.5, 0, 0.9, -126), ("u8", 0.0471, 114, 0.0243, 15), ("s8", 40.0, 5, 20.0, 0),
             ("s8", 0.001, 0, 0.0005, 0), ("u8", 0.03, 0, 0.0003, 0)]
    for i, (code, sx, zx, sy, zy) in enumerate(cases):
        dtype, low, high = TYPES[code]
        y = [hard_swish(x, sx, zx, sy, zy, low, high) for x in range(low, high + 1)]
        arrays.update({f"y{i}": np.array(y, dtype), f"signed{i}": np.int32(code == "s8"),
                       f"scales{i}": np.array([sx, sy], np.float32), f"zeros{i}": np.array([zx, zy], np.int32)})
    np.savez(OUT / "kernels" / "hard_swish.npz", cases=np.int32(len(cases)), **arrays)


# --- QUANTIZE from codes to codes ---


def requantize_vectors():
    arrays = {}
    cases = [("s8", 0.05, 3, "s8", 0.05, -7), ("s8", 0.1, -20, "s8", 0.033, 5), ("u8", 0.02, 128, "s8", 0.02, 0),
             ("s8", 1.0, 0, "u8", 2.0, 128), ("u8", 0.75, 10, "u8", 0.5, 200), ("s8", 1e-6, 3, "s8", 1.0, 4),
             ("s8", 1e5, 1, "s8", 1.0, 2), ("s8", 1.0, 0, "s8", 8.0, 0), ("s8", 0.3, 127, "u8", 0.1, 0)]
    for i, (x_code, sx, zx, y_code, sy, zy) in enumerate(cases):
        _, x_low, x_high = TYPES[x_code]
        y_type, low, high = TYPES[y_code]
        multiplier, shift = quantize_multiplier(float(np.float32(sx)) / float(np.float32(sy)))
        for rule in ("double", "single"):
            arrays[f"y_{rule}{i}"] = np.array([clamp(multiply(x - zx, multiplier, shift, rule) + zy, low, high)
                                               for x in range(x_low, x_high + 1)], y_type)
        arrays.update({f"x_signed{i}": np.int32(x_code == "s8"), f"y_signed{i}": np.int32(y_code == "s8"),
                       f"scales{i}": np.array([sx, sy], np.float32), f"zeros{i}": np.array([zx, zy], np.int32)})
    np.savez(OUT / "kernels" / "requantize.npz", cases=np.int32(len(cases)), **arrays)


# --- batch normalization folded by PyTorch ---


def fold_vectors():
    torch.manual_seed(5)
    fusion = torch.nn.utils.fusion
    arrays = {}
    layers = [
        ("linear", lambda: torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4), 0),
        ("convolution", lambda: torch.nn.Conv2d(3, 4, (3, 2), bias=False), torch.nn.BatchNorm2d(4, eps=1e-3), 0),
        ("depthwise", lambda: torch.nn.Conv2d(6, 6, 3, groups=6), torch.nn.BatchNorm2d(6), 0),
        ("transposed", lambda: torch.nn.ConvTranspose2d(3, 5, 2), torch.nn.BatchNorm2d(5), 1),
        ("not_affine", lambda: torch.nn.Conv1d(2, 3, 3), torch.nn.BatchNorm1d(3, affine=False), 0),
    ]
    for name, make, norm, axis in layers:
        layer = make().double()
        norm = norm.double()
        if norm.affine:
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.01, 2)
        layer.eval(), norm.eval()
        fused = (fusion.fuse_linear_bn_eval(layer, norm) if name == "linear"
                 else fusion.fuse_conv_bn_eval(layer, norm, transpose=axis == 1))
        tensors = {"w": layer.weight, "b": layer.bias, "gamma": norm.weight, "beta": norm.bias,
                   "mean": norm.running_mean, "variance": norm.running_var, "folded_w": fused.weight,
                   "folded_b": fused.bias}
        for key, tensor in tensors.items():
            if tensor is not None:
                arrays[f"{name}_{key}"] = tensor.detach().numpy()
        arrays[f"{name}_axis"] = np.int32(axis)
        arrays[f"{name}_epsilon"] = np.float64(norm.eps)
    np.savez(OUT / "quantize" / "fold_batch_norm.npz", **arrays)


def main():
    for folder in ("kernels", "quantize"):
        (OUT / folder).mkdir(parents=True, exist_ok=True)
    add_vectors()
    pool_vectors()
    softmax_vectors()
    table_vectors()
    hard_swish_vectors()
    requantize_vectors()
    fold_vectors()


if __name__ == "__main__":
    main()
