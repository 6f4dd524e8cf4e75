#!/usr/bin/python3
"""Writes the reference values of tests/prune with torch.nn.utils.prune.

    /usr/bin/python3 tools/make_prune_vectors.py        # Debian: python3-torch

Writes tests/vectors/prune/*.npz next to this script's repository; the same bytes on every run.
"""

import itertools
import math
import pathlib

import numpy
import torch
from torch.nn.utils import prune

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "prune"


def layer(weights):
    """A module whose only parameter is `weight`."""
    module = torch.nn.Module()
    module.register_parameter("weight", torch.nn.Parameter(weights.clone()))
    return module


def mask_of(module):
    return module.weight_mask.numpy().astype(numpy.uint8)


def l1_unstructured(generator):
    """w<i>, is_count<i>, amounts<i> [steps], masks<i> [steps, ...]: the mask after each step."""
    arrays = {}
    shapes = [(1, 1), (1, 7), (16, 32), (5, 3), (24, 17), (13, 11), (8, 40), (9, 9)]
    for i, shape in enumerate(shapes):
        weights = torch.randn(shape, generator=generator)
        size = weights.numel()
        is_count = i % 2 == 1
        if is_count:
            first = int(torch.randint(0, size // 2 + 1, (1,), generator=generator))
            amounts = [first, size // 4, size - first - size // 4]  # the last step prunes all
        else:
            amounts = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
            amounts[1] = [0.5, 0.25, 0.75, 0.1][i // 2]  # halves, which round to even
        module = layer(weights)
        masks = []
        for amount in amounts:
            prune.l1_unstructured(module, "weight", amount=amount)
            masks.append(mask_of(module))
        arrays[f"w{i}"] = weights.numpy()
        arrays[f"is_count{i}"] = numpy.array(int(is_count), numpy.uint8)
        arrays[f"amounts{i}"] = numpy.array(amounts, numpy.float64)
        arrays[f"masks{i}"] = numpy.stack(masks)
    return arrays


def l1_convolution(generator):
    """As l1_unstructured, for one weight of rank 4."""
    weights = torch.randn((6, 3, 3, 3), generator=generator)
    module = layer(weights)
    prune.l1_unstructured(module, "weight", amount=0.35)
    return {"w": weights.numpy(), "amount": numpy.array(0.35), "mask": mask_of(module)}


def ln_structured(generator):
    """Twelve cases for linear weights and, with the prefix conv_, twelve for convolution weights:
    weights [12, ...], parameters [12, 4] (dim, n, amount of each step), start [12, ...] (the mask
    before), masks [12, 2, ...] (after each step) and norms<i> of the weights along dim."""
    arrays = {}
    for prefix, shape in (("", (12, 10)), ("conv_", (6, 5, 2, 2))):
        columns = {"weights": [], "parameters": [], "start": [], "masks": []}
        for dim, n, before in itertools.product((0, 1), (1, 2, math.inf), (0.0, 0.6)):
            weights = torch.randn(shape, generator=generator)
            module = layer(weights)
            start = numpy.ones(shape, numpy.uint8)
            if before > 0:
                prune.l1_unstructured(module, "weight", amount=before)
                start = mask_of(module)
            amounts = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
            masks = []
            for amount in amounts:
                prune.ln_structured(module, "weight", amount=amount, n=n, dim=dim)
                masks.append(mask_of(module))
            other = tuple(d for d in range(len(shape)) if d != dim)
            norms = torch.linalg.vector_norm(weights.double(), ord=n, dim=other)
            arrays[f"{prefix}norms{len(columns['start'])}"] = norms.numpy()
            columns["weights"].append(weights.numpy())
            columns["parameters"].append(numpy.array([dim, n, *amounts]))
            columns["start"].append(start)
            columns["masks"].append(numpy.stack(masks))
        arrays.update({prefix + name: numpy.stack(cases) for name, cases in columns.items()})
    return arrays


def global_unstructured(generator):
    """Three layers w0, w1, w2 under one threshold; amounts [2], masks<layer>_<step>."""
    shapes = [(10, 14), (6, 10), (4, 3, 3, 3)]
    modules = [layer(torch.randn(s, generator=generator) * (k + 1)) for k, s in enumerate(shapes)]
    arrays = {f"w{k}": m.weight.detach().numpy().copy() for k, m in enumerate(modules)}
    amounts = [0.45, 0.3]
    for step, amount in enumerate(amounts):
        prune.global_unstructured(
            [(m, "weight") for m in modules], pruning_method=prune.L1Unstructured, amount=amount
        )
        for k, m in enumerate(modules):
            arrays[f"mask{k}_{step}"] = mask_of(m)
    arrays["amounts"] = numpy.array(amounts)
    return arrays


def surgery(generator):
    """Two networks, their input, the indices that stay, and the output of the network in which the
    other neurons or filters are zeroed by torch."""
    arrays = {}

    def add(name, tensor):
        arrays[name] = tensor.detach().numpy().copy()

    first, second = torch.nn.Linear(7, 12), torch.nn.Linear(12, 5)
    conv1, conv2 = torch.nn.Conv2d(2, 6, 3), torch.nn.Conv2d(6, 4, 3)
    flat = torch.nn.Linear(6 * 4 * 5, 3)
    for module in (first, second, conv1, conv2, flat):
        for parameter in module.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    neurons = torch.tensor([0, 3, 4, 8, 11])
    alive = torch.zeros(12).index_fill(0, neurons, 1.0)
    x = torch.randn((4, 7), generator=generator)
    add("linear_x", x)
    add("linear_w1", first.weight)
    add("linear_b1", first.bias)
    add("linear_w2", second.weight)
    add("linear_b2", second.bias)
    add("linear_kept", neurons)
    add("linear_y", second(torch.relu(first(x)) * alive))

    filters = torch.tensor([1, 2, 5])
    alive = torch.zeros(6).index_fill(0, filters, 1.0)[None, :, None, None]
    x = torch.randn((2, 2, 6, 7), generator=generator)
    hidden = torch.relu(conv1(x)) * alive
    add("conv_x", x)
    add("conv_w1", conv1.weight)
    add("conv_b1", conv1.bias)
    add("conv_w2", conv2.weight)
    add("conv_b2", conv2.bias)
    add("conv_kept", filters)
    add("conv_y", conv2(hidden))
    add("flat_w", flat.weight)
    add("flat_b", flat.bias)
    add("flat_y", flat(hidden.flatten(1)))
    return arrays


def random_pruning(generator):
    """random_unstructured, which takes the largest of its uniform numbers, random_structured, which
    takes the smallest, and l1_unstructured by given scores; numbers<i>, amount<i>, mask<i>."""
    arrays = {}

    def drawn(i, shape):
        torch.manual_seed(i)  # the numbers that torch draws next are these
        numbers = torch.rand(shape)
        torch.manual_seed(i)
        arrays[f"numbers{i}"] = numbers.numpy()

    weights = torch.randn((9, 14), generator=generator)
    for i, amount in enumerate([0.3, 17]):
        module = layer(weights)
        drawn(i, weights.shape)
        prune.random_unstructured(module, "weight", amount=amount)
        arrays[f"amount{i}"], arrays[f"mask{i}"] = numpy.array(float(amount)), mask_of(module)
    for i, (dim, amount) in enumerate([(0, 0.5), (1, 5)], start=2):
        module = layer(weights)
        drawn(i, (weights.shape[dim],))
        prune.random_structured(module, "weight", amount=amount, dim=dim)
        arrays[f"amount{i}"], arrays[f"mask{i}"] = numpy.array(float(amount)), mask_of(module)
    module = layer(weights)
    scores = torch.rand(weights.shape, generator=generator)
    prune.l1_unstructured(module, "weight", amount=0.4, importance_scores=scores)
    arrays.update(numbers4=scores.numpy(), amount4=numpy.array(0.4), mask4=mask_of(module))
    return arrays


def global_scores(generator):
    """global_unstructured by given scores: s<k>, mask<k>, amount."""
    shapes = [(7, 9), (5, 7), (3, 2, 3, 3)]
    modules = [layer(torch.randn(s, generator=generator)) for s in shapes]
    scores = [torch.rand(s, generator=generator) for s in shapes]
    prune.global_unstructured(
        [(m, "weight") for m in modules],
        pruning_method=prune.L1Unstructured,
        importance_scores={(m, "weight"): s for m, s in zip(modules, scores)},
        amount=0.55,
    )
    arrays = {f"s{k}": s.numpy() for k, s in enumerate(scores)}
    arrays.update({f"mask{k}": mask_of(m) for k, m in enumerate(modules)})
    return {**arrays, "amount": numpy.array(0.55)}


def sensitivity(generator):
    """SNIP as it is defined: the gradient with respect to a mask of ones. w, g (of the weights),
    connections (the absolute gradient of the mask)."""
    weights = torch.randn((6, 11), generator=generator, dtype=torch.float64, requires_grad=True)
    ones = torch.ones_like(weights, requires_grad=True)
    x = torch.randn((20, 11), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 6, (20,), generator=generator)
    torch.nn.functional.cross_entropy(x @ (weights * ones).T, labels).backward()
    arrays = {"w": weights, "g": weights.grad, "connections": ones.grad.abs()}
    return {name: a.detach().numpy().astype(numpy.float32) for name, a in arrays.items()}


def correlated_inputs(generator, rows, columns):
    mix = torch.randn((columns, columns), generator=generator, dtype=torch.float64)
    x = torch.randn((rows, columns), generator=generator, dtype=torch.float64)
    return (x @ (torch.eye(columns, dtype=torch.float64) + 0.3 * mix)).numpy()


def obs(weights, upper, choose, rounded=lambda row, w: w):
    """Optimal brain surgery column by column, in double and without blocks; choose(w, keep, c)
    prunes in the mask before column c."""
    w, keep = weights.copy(), numpy.ones(weights.shape, bool)
    for c in range(w.shape[1]):
        choose(w, keep, c)
        rest = numpy.where(keep[:, c], [rounded(r, x) for r, x in enumerate(w[:, c])], 0.0)
        error = (w[:, c] - rest) / upper[c, c]
        w[:, c:] -= numpy.outer(error, upper[c, c:])
        w[:, c] = rest
    return w, keep


def sparse_gpt(generator):
    """w, u (the factor); half_w, half_mask: half of the weights, one block; nm_w, nm_mask: 2:4;
    codes: 2:4 and rounded to multiples of `scale`."""
    weights = torch.randn((10, 24), generator=generator, dtype=torch.float64).numpy()
    x = correlated_inputs(generator, 80, 24)
    gram = x.T @ x
    gram += 0.01 * numpy.mean(numpy.diag(gram)) * numpy.eye(24)
    upper = numpy.linalg.cholesky(numpy.linalg.inv(gram)).T.astype(numpy.float32)
    weights, exact = weights.astype(numpy.float32).astype(numpy.float64), upper.astype(float)
    diagonal = numpy.diag(exact)

    def half(w, keep, c):
        if c == 0:
            order = numpy.argsort(((w / diagonal) ** 2).ravel(), kind="stable")
            keep.ravel()[order[: w.size // 2]] = False

    def two_of_four(w, keep, c):
        if c % 4 == 0:
            score = (w[:, c : c + 4] / diagonal[c : c + 4]) ** 2
            for row, order in enumerate(numpy.argsort(score, axis=1, kind="stable")):
                keep[row, c + order[:2]] = False

    scale = 0.25
    arrays = {"w": weights, "u": upper, "scale": numpy.array(scale)}
    arrays["half_w"], arrays["half_mask"] = obs(weights, exact, half)
    arrays["nm_w"], arrays["nm_mask"] = obs(weights, exact, two_of_four)
    coarse, arrays["codes_mask"] = obs(
        weights, exact, two_of_four, lambda row, w: numpy.rint(w / scale) * scale
    )
    arrays["codes_w"] = coarse
    kinds = {numpy.dtype(bool): numpy.uint8, numpy.dtype(float): numpy.float32}
    return {name: a.astype(kinds.get(a.dtype, a.dtype)) for name, a in arrays.items()}


def reconstruct(generator):
    """x, w, mask and what numpy.linalg.lstsq makes of the kept columns of each row: best."""
    x = correlated_inputs(generator, 50, 12)
    weights = torch.randn((5, 12), generator=generator, dtype=torch.float64).numpy()
    mask = (torch.rand((5, 12), generator=generator) < 0.5).numpy()
    mask[1] = mask[0]
    mask[3] = False
    best = numpy.zeros_like(weights)
    for row, keep in enumerate(mask):
        best[row, keep] = numpy.linalg.lstsq(x[:, keep], x @ weights[row], rcond=None)[0]
    return {"x": x, "w": weights, "mask": mask.astype(numpy.uint8), "best": best}


def fpgm(generator):
    """w [7, 3, 2, 2] and for each filter the sum of its distances to all others."""
    weights = torch.randn((7, 3, 2, 2), generator=generator, dtype=torch.float64)
    rows = weights.flatten(1)
    return {"w": weights.numpy(), "distances": torch.cdist(rows, rows).sum(1).numpy()}


def optimizers(generator):
    """w [4, 5], gradients [6, 4, 5]; where SGD with momentum and AdamW end."""
    weights = torch.randn((4, 5), generator=generator)
    gradients = torch.randn((6, 4, 5), generator=generator)
    arrays = {"w": weights.numpy(), "gradients": gradients.numpy()}
    for name, make in (
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
        ("adamw", lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1)),
    ):
        parameter = torch.nn.Parameter(weights.clone())
        optimizer = make([parameter])
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
        arrays[name] = parameter.detach().numpy()
    return arrays


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = [l1_unstructured, l1_convolution, ln_structured, global_unstructured, surgery]
    cases += [random_pruning, global_scores, sensitivity, sparse_gpt, reconstruct, fpgm, optimizers]
    for seed, make in enumerate(cases):
        numpy.savez(FOLDER / f"{make.__name__}.npz", **make(torch.Generator().manual_seed(seed)))


if __name__ == "__main__":
    main()
