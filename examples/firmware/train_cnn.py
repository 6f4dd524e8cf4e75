#!/usr/bin/python3
"""Trains a small convolutional digit reader in PyTorch, for make_cnn.cpp to quantize.

    /usr/bin/python3 examples/firmware/train_cnn.py

Reads examples/data and writes examples/firmware/cnn/*.npy: weights and biases in float, and the
largest activations on the training pictures. Depthwise-separable blocks as in Howard et al.,
"MobileNets", 2017, arXiv:1704.04861. Needs PyTorch (Debian: python3-torch).
"""
import pathlib

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"


def read(images, labels):
    pixels = np.frombuffer((DATA / images).read_bytes()[16:], np.uint8).reshape(-1, 1, 8, 8)
    digits = np.frombuffer((DATA / labels).read_bytes()[8:], np.uint8)
    return torch.tensor(pixels / 255.0, dtype=torch.float32), torch.tensor(digits.astype(np.int64))


def block(inputs, outputs):
    """A filter for each channel, then a mixture of channels."""
    return [nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs), nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1), nn.ReLU()]


def network():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), *block(8, 16), nn.MaxPool2d(2),
                         *block(16, 32), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10))


def train(net, pixels, digits, epochs=80, batch=32):
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.01)
    steps = epochs * (len(pixels) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        order = torch.randperm(len(pixels))
        for at in range(0, len(pixels) - batch + 1, batch):
            chosen = order[at:at + batch]
            loss = nn.functional.cross_entropy(net(pixels[chosen]), digits[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    pixels, digits = read("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    net = network()
    train(net, pixels, digits)
    net.eval()
    with torch.no_grad():
        test_pixels, test_digits = read("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
        right = (net(test_pixels).argmax(1) == test_digits).sum().item()
        print(f"test pictures read right: {right} of {len(test_digits)}")

        folder = HERE / "cnn"
        folder.mkdir(exist_ok=True)
        ranges, x = [], pixels
        names = iter(("conv", "depthwise1", "pointwise1", "depthwise2", "pointwise2", "fc"))
        for layer in net:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                ranges.append((0.0, x.max().item()))
            if not hasattr(layer, "weight"):
                continue
            name, weight = next(names), layer.weight.numpy()
            if name == "fc":  # its inputs in the order rows, columns, channels
                weight = weight.reshape(10, 32, 2, 2).transpose(0, 2, 3, 1).reshape(10, 128)
            np.save(folder / f"{name}_weight.npy", np.ascontiguousarray(weight))
            np.save(folder / f"{name}_bias.npy", layer.bias.numpy())
        ranges.append((x.min().item(), x.max().item()))
        np.save(folder / "ranges.npy", np.array(ranges, np.float32))


if __name__ == "__main__":
    main()
