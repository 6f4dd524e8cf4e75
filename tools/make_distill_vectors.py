#!/usr/bin/python3
"""Writes the reference values of tests/distill with torch.nn.functional and its autograd.

    /usr/bin/python3 tools/make_distill_vectors.py        # Debian: python3-torch

Writes tests/vectors/distill/loss.npz next to this script's repository. Computed in double from
logits that are exact in float. For case i: student<i>, teacher<i> [rows, classes], labels<i>
[rows], parameters<i> (temperature, alpha), softmax<i> of the teacher's logits, losses<i> (KL, mean
squared error, cross entropy, combined) and gradients<i> [4, rows, classes], those of the losses
with respect to the student's logits.
"""

import pathlib

import numpy
import torch
from torch.nn import functional

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors" / "distill"


def kl(student, teacher, _labels, temperature, _alpha):
    return functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.softmax(teacher / temperature, dim=1),
        reduction="batchmean",
    )


def mse(student, teacher, _labels, _temperature, _alpha):
    return functional.mse_loss(student, teacher)


def cross_entropy(student, _teacher, labels, _temperature, _alpha):
    return functional.cross_entropy(student, labels)


def combined(student, teacher, labels, temperature, alpha):
    soft = kl(student, teacher, labels, temperature, alpha)
    hard = cross_entropy(student, teacher, labels, temperature, alpha)
    return alpha * temperature**2 * soft + (1 - alpha) * hard


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    cases = [  # rows, classes, spread of the logits, temperature, alpha
        (4, 10, 1.0, 4.0, 0.9),
        (7, 10, 5.0, 20.0, 0.7),
        (1, 2, 3.0, 1.0, 0.5),
        (3, 5, 300.0, 2.0, 0.25),  # exp overflows without the shift by the maximum
        (5, 1, 1.0, 3.0, 0.5),  # one class: all losses but the mean squared error are zero
        (6, 13, 2.0, 0.5, 0.0),
        (6, 13, 2.0, 8.0, 1.0),
        (2, 40, 2.0, 3.0, 0.6),  # more classes than the library remembers exponentials of
    ]
    arrays = {}
    for i, (rows, classes, spread, temperature, alpha) in enumerate(cases):
        draw = lambda: (torch.randn((rows, classes), generator=generator) * spread).float()
        student, teacher = draw(), draw()
        labels = torch.randint(0, classes, (rows,), generator=generator)
        arrays[f"student{i}"] = student.numpy()
        arrays[f"teacher{i}"] = teacher.numpy()
        arrays[f"labels{i}"] = labels.numpy()
        arrays[f"parameters{i}"] = numpy.array([temperature, alpha])
        arrays[f"softmax{i}"] = functional.softmax(teacher.double() / temperature, dim=1).numpy()
        losses, gradients = [], []
        for loss in (kl, mse, cross_entropy, combined):
            logits = student.double().requires_grad_()
            value = loss(logits, teacher.double(), labels, temperature, alpha)
            value.backward()
            losses.append(value.item())
            gradients.append(logits.grad.numpy())
        arrays[f"losses{i}"] = numpy.array(losses)
        arrays[f"gradients{i}"] = numpy.stack(gradients)
    numpy.savez(FOLDER / "loss.npz", **arrays)


if __name__ == "__main__":
    main()
