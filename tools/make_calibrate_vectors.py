#!/usr/bin/python3
"""Writes the reference values of calibrated quantization: plain implementations in double.

    /usr/bin/python3 tools/make_calibrate_vectors.py        # Debian: python3-torch

GPTQ as its authors wrote it (arXiv:2210.17323): the Hessian is inverted, the inverse factorized,
and every rounding error is spread at once, without blocks.

AWQ: arXiv:2306.00978. HQQ: the proximal solver of mobiusml.github.io/hqq_blog.

Writes gptq.npz, awq.npz and hqq.npz to tests/vectors/quantize, next to this script's repository.
"""

import pathlib

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "quantize"

NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
       -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
       0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
       0.7229568362236023, 1.0]


def fit(scheme, bits, group):
    """Scale and zero point of each row of a group [out, inputs], in float32 as observers have it."""
    group = group.float()
    low, high = group.min(1).values.clamp(max=0), group.max(1).values.clamp(min=0)
    amax = torch.maximum(high, -low)
    if scheme == "nf4":
        return amax.double(), torch.zeros_like(amax).double()
    qmin, qmax = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    eps = torch.finfo(torch.float32).eps
    if scheme == "symmetric":
        return torch.clamp(amax / ((qmax - qmin) / 2), min=eps).double(), torch.zeros_like(amax).double()
    scale = torch.clamp((high - low) / (qmax - qmin), min=eps)
    zero = torch.clamp(qmin - torch.round(low / scale), qmin, qmax)
    return scale.double(), zero.double()


def code_of(scheme, bits, x, scale, zero):
    if scheme == "nf4":
        levels = torch.tensor(NF4).double()
        return (x[:, None] / scale[:, None] - levels[None]).abs().argmin(1).double()
    return torch.clamp(torch.round(x / scale) + zero, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def value_of(scheme, code, scale, zero):
    if scheme == "nf4":
        return torch.tensor(NF4).double()[code.long()] * scale
    return (code - zero) * scale


def gptq(w, gram, scheme, bits, group, by_activation, damping=0.01):
    """Codes, scales and zero points. Grids of groups stay with consecutive inputs; where the order
    is that of activations, they are fitted before anything is rounded."""
    w, h = w.double().clone(), gram.double().clone()
    out, inputs = w.shape
    dead = h.diag() == 0
    h[dead, dead] = h.diag()[~dead].mean()
    order = torch.argsort(h.diag() * ~dead, descending=True, stable=True) if by_activation else torch.arange(inputs)
    h += damping * h.diag()[~dead].mean() * torch.eye(inputs)
    h = h[order][:, order]
    upper = torch.linalg.cholesky(torch.linalg.inv(h)).T  # upper^T upper = h^-1
    groups = (inputs + group - 1) // group
    codes = torch.zeros(out, inputs)
    scales, zeros = torch.zeros(out, groups).double(), torch.zeros(out, groups).double()
    if by_activation:
        for g in range(groups):
            scales[:, g], zeros[:, g] = fit(scheme, bits, w[:, g * group:(g + 1) * group])
    work = w[:, order].clone()
    for i in range(inputs):
        at = int(order[i])
        g = at // group
        if not by_activation and at % group == 0:
            scales[:, g], zeros[:, g] = fit(scheme, bits, work[:, i:i + group])
        code = code_of(scheme, bits, work[:, i], scales[:, g], zeros[:, g])
        codes[:, at] = code.float()
        error = (work[:, i] - value_of(scheme, code, scales[:, g], zeros[:, g])) / upper[i, i]
        work[:, i:] -= error[:, None] * upper[i, i:][None]
    return codes, scales, zeros


def write_gptq():
    generator = torch.Generator().manual_seed(0)
    random = lambda *shape: torch.randn(shape, generator=generator)
    # Inputs as behind a ReLU: correlated, not negative, some of them never active.
    inputs = torch.relu(random(200, 150) @ random(150, 150) / 12 + 0.5 * random(200, 1))
    inputs = (inputs * 16).round().clamp(max=255)
    inputs[:, 5] = 0
    inputs[:, 77] = 0
    weights = random(12, 150) * 0.1
    gram = inputs.double().T @ inputs.double()
    arrays = {"x": inputs.numpy().astype(numpy.uint8), "w": weights.numpy()}
    cases = [("symmetric", 4, 150, False), ("symmetric", 3, 150, True), ("asymmetric", 4, 32, False),
             ("asymmetric", 2, 32, True), ("nf4", 4, 64, False), ("symmetric", 8, 140, False),
             ("asymmetric", 4, 1, False)]
    for i, (scheme, bits, group, by_activation) in enumerate(cases):
        codes, scales, zeros = gptq(weights, gram, scheme, bits, group, by_activation)
        arrays[f"scheme{i}"] = numpy.array([["symmetric", "asymmetric", "nf4"].index(scheme)], numpy.int32)
        arrays[f"options{i}"] = numpy.array([bits, group, by_activation], numpy.int32)
        arrays[f"codes{i}"] = codes.numpy().astype(numpy.int8)
        if group > 1:
            arrays[f"scales{i}"] = scales.numpy().astype(numpy.float32)
    numpy.savez(FOLDER / "gptq.npz", **arrays)


def awq(w, x, bits, group, steps=20):
    """The best exponent, with its scales, codes and mean squared output error."""
    w, x = w.double(), x.double()
    best = None
    for step in range(steps):
        s = x.abs().mean(0).pow(step / steps).clamp(min=1e-4)
        s = (s / (s.max() * s.min()).sqrt()).float()
        scaled = w.float() * s
        codes, values = [], []
        for first in range(0, w.shape[1], group):
            part = scaled[:, first:first + group]
            scale, zero = fit("asymmetric", bits, part)
            code = torch.stack([code_of("asymmetric", bits, part[:, i].double(), scale, zero) for i in range(part.shape[1])], 1)
            codes.append(code)
            values.append((code - zero[:, None]) * scale[:, None])
        changed = torch.cat(values, 1) / s.double()
        error = ((x @ (changed - w).T) ** 2).mean().item()
        if best is None or error < best[0]:
            best = (error, step / steps, s, torch.cat(codes, 1))
    return best


def write_awq():
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(shape, generator=generator)
    x = random(60, 40) * torch.logspace(-1, 1, 40)[torch.randperm(40, generator=generator)]
    w = random(10, 40)
    error, exponent, scales, codes = awq(w, x, 3, 16)
    numpy.savez(FOLDER / "awq.npz", x=x.numpy(), w=w.numpy(), error=numpy.array(error),
                exponent=numpy.array(exponent), scales=scales.numpy(), codes=codes.numpy().astype(numpy.int8))


def hqq(w, bits, group, norm=0.7, beta=10.0, kappa=1.01, iterations=20):
    """Codes, scales and zeros of groups, each with the steps of the proximal solver."""
    most = 2 ** bits - 1
    parts = w.double().reshape(-1, group)
    low, high = parts.min(1, keepdim=True).values, parts.max(1, keepdim=True).values
    scale = ((high - low) / most).float().double()
    all_codes, all_zeros = [], []
    for i in range(len(parts)):
        x, s = parts[i], scale[i]
        zero = -(low[i] / s)
        quantize = lambda z: torch.clamp(torch.round(x / s + z), 0, most)
        error_of = lambda z: (x - (quantize(z) - z) * s).abs().mean().item()
        best, least, b = zero, error_of(zero), beta
        for _ in range(iterations):
            code = quantize(zero)
            rest = x - (code - zero) * s
            shrunk = rest.sign() * torch.relu(rest.abs() - rest.abs().pow(norm - 1) / b)
            shrunk = torch.nan_to_num(shrunk)
            zero = (code - (x - shrunk) / s).mean()
            b *= kappa
            error = error_of(zero)
            if not error < least:
                break
            best, least = zero, error
        all_codes.append(quantize(best))
        all_zeros.append(best.reshape(()))
    shape = (w.shape[0], -1)
    return (torch.stack(all_codes).reshape(w.shape), scale.reshape(shape), torch.stack(all_zeros).reshape(shape))


def write_hqq():
    generator = torch.Generator().manual_seed(2)
    w = torch.randn((6, 192), generator=generator) ** 3  # heavy tails
    arrays = {"w": w.numpy()}
    for bits in (2, 4):
        codes, scales, zeros = hqq(w, bits, 64)
        arrays[f"codes{bits}"] = codes.numpy().astype(numpy.uint8)
        arrays[f"scales{bits}"] = scales.numpy().astype(numpy.float32)
        arrays[f"zeros{bits}"] = zeros.numpy().astype(numpy.float32)
    numpy.savez(FOLDER / "hqq.npz", **arrays)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_gptq()
    write_awq()
    write_hqq()
