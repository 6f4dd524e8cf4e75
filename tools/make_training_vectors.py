#!/usr/bin/env python3
"""Reference values of observers and of quantization-aware training, from PyTorch 1.13.

    python3 tools/make_training_vectors.py

Writes tests/vectors/quantize/{observers_stream,fake_quantize}.npz. Needs NumPy and PyTorch (Debian:
python3-torch).

observers_stream  MinMaxObserver, MovingAverageMinMaxObserver on batches; HistogramObserver's search
fake_quantize     fake_quantize_per_tensor_affine and per_channel with autograd; LSQ and PACT as their
                  papers define them, with rounding that passes gradients, differentiated by autograd
"""
import pathlib

import numpy as np
import torch
from torch.ao.quantization.observer import (HistogramObserver, MinMaxObserver,
                                            MovingAverageMinMaxObserver)

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "quantize"
f32 = np.float32


def observers():
    rng = np.random.default_rng(31)
    batches = [rng.standard_normal(200) * s + o for s, o in
               [(1, 0), (0.5, 0.2), (2, -1), (1, 3), (0.1, 0), (5, 0)]]
    batches = np.array(batches).astype(f32)
    low_high = {"min_max": [], "moving_average": []}
    plain, moving = MinMaxObserver(), MovingAverageMinMaxObserver()
    for batch in batches:
        for name, observer in (("min_max", plain), ("moving_average", moving)):
            observer(torch.from_numpy(batch))
            low_high[name].append([observer.min_val.item(), observer.max_val.item()])
    out = {"batches": batches}
    out.update({name: np.array(values, f32) for name, values in low_high.items()})
    # Distributions with tails, in 2048 bins a power of two wide. PyTorch 1.13 cuts the bounds of its own
    # histogram to integers and misses what lies beyond, so that only its search is asked here.
    samples = {"normal": (rng.standard_normal(1500), -4, 4), "laplace": (rng.laplace(size=1500), -8, 8),
               "relu": (np.maximum(rng.standard_normal(1500), 0), 0, 4),
               "outlier": (rng.standard_normal(1500), -32, 32)}
    for name, (x, least, most) in samples.items():
        below = np.nextafter(f32(most), f32(0))
        x = np.clip(x.astype(f32), f32(least), below)
        x[:2] = least, below
        observer = HistogramObserver()
        bins = np.floor((x.astype(float) - least) / ((most - least) / 2048)).astype(int)
        observer.histogram = torch.from_numpy(np.bincount(bins, minlength=2048).astype(f32))
        observer.min_val, observer.max_val = torch.tensor(float(least)), torch.tensor(float(most))
        low, high = observer._non_linear_param_search()
        out[f"histogram_{name}_x"] = x
        out[f"histogram_{name}_range"] = np.array([low.item(), high.item()], f32)
    return out


def rounding(x):
    return x + (torch.round(x) - x).detach()


def fake_quantize():
    rng = np.random.default_rng(32)
    out = {}
    x = (rng.standard_normal((6, 20)) * 2).astype(f32)
    x[0, :8] = [0, 0.05, -0.05, 0.15, 12.65, 12.75, -12.85, 100]  # ties and bounds of a scale of 0.1
    g = rng.standard_normal((6, 20)).astype(f32)
    out["x"], out["g"] = x, g
    for i, (scale, zero, low, high) in enumerate([(0.1, 0, -128, 127), (0.03, 17, 0, 255),
                                                  (0.5, -1, -8, 7), (0.7, 1, 0, 3)]):
        t = torch.from_numpy(x).requires_grad_()
        y = torch.fake_quantize_per_tensor_affine(t, scale, zero, low, high)
        y.backward(torch.from_numpy(g))
        out.update({f"tensor{i}_params": np.array([scale], f32),
                    f"tensor{i}_codes": np.array([zero, low, high], np.int32),
                    f"tensor{i}_y": y.detach().numpy(), f"tensor{i}_dx": t.grad.numpy()})
    scales = np.array([0.01, 0.02, 0.1, 0.3, 1.0, 0.05], f32)
    zeros = np.array([0, 3, -8, 7, -1, 2], np.int32)
    t = torch.from_numpy(x).requires_grad_()
    y = torch.fake_quantize_per_channel_affine(t, torch.from_numpy(scales), torch.from_numpy(zeros), 0, -8, 7)
    y.backward(torch.from_numpy(g))
    out.update({"channel_scales": scales, "channel_zeros": zeros, "channel_y": y.detach().numpy(),
                "channel_dx": t.grad.numpy()})
    # LSQ, one step a row: double, so that only the library's own rounding shows.
    for i, (low, high) in enumerate([(-8, 7), (0, 15), (-2, 1)]):
        steps = np.array([0.3, 0.1, 0.25, 1.0, 0.05, 0.4], f32)
        t = torch.from_numpy(x).double().requires_grad_()
        s = torch.from_numpy(steps).double().requires_grad_()
        y = rounding(torch.clamp(t / s[:, None], low, high)) * s[:, None]
        y.backward(torch.from_numpy(g).double())
        out.update({f"lsq{i}_codes": np.array([low, high], np.int32), f"lsq{i}_steps": steps,
                    f"lsq{i}_y": y.detach().numpy().astype(f32), f"lsq{i}_dx": t.grad.numpy().astype(f32),
                    f"lsq{i}_ds": s.grad.numpy().astype(f32)})
    # PACT: y = (|x| - |x - a| + a) / 2, quantized; its gradient of a is 1 where x >= a.
    for i, (clip, bits) in enumerate([(1.7, 4), (5.9, 2)]):
        t = torch.from_numpy(x).double().requires_grad_()
        a = torch.tensor(clip, dtype=torch.double, requires_grad=True)
        y = torch.where(t >= a, a, torch.clamp(t, min=0))
        steps = 2 ** bits - 1
        # The paper differentiates the clip alone: quantization passes gradients as they are.
        q = y + (torch.round(y.detach() * steps / clip) * clip / steps - y.detach())
        q.backward(torch.from_numpy(g).double())
        dx = t.grad.numpy().copy()
        dx[x == 0] = 0  # at a kink: 0, as the paper has it
        out.update({f"pact{i}_params": np.array([clip, bits], f32), f"pact{i}_y": q.detach().numpy().astype(f32),
                    f"pact{i}_dx": dx.astype(f32), f"pact{i}_da": np.array([a.grad.item()], f32)})
    return out


def main():
    for name, arrays in {"observers_stream": observers(), "fake_quantize": fake_quantize()}.items():
        np.savez(OUT / f"{name}.npz", **arrays)
        print(f"{name}.npz: {(OUT / f'{name}.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main()
