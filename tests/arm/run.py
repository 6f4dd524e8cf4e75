#!/usr/bin/env python3
"""Counts what the kernels of 64-bit ARM execute, and asks a model of two processors about the
innermost loop.

  run.py [--cxx aarch64-linux-gnu-g++] [--build DIR]

count.cpp runs operators under qemu-aarch64 with each instruction set; a QEMU plugin counts their
instructions (tests/firmware/count_instructions.c). Instructions are no cycles. They are exact and
the same on each machine, so that a change shows; the script fails where they exceed a limit.

llvm-mca (LLVM 15 or newer, left out where there is none) simulates the loop of the s8 product with
SDOT as it stands in the program: the share of cycles in which its port works.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLAGS = "-std=c++17 -O2 -DNDEBUG -Wall -Wextra -Werror".split()

# Instruction sets and processors that have them.
ISAS = {"neon": "cortex-a53", "dotprod": "neoverse-n1", "i8mm": "max,sve=off"}

# Regions of count.cpp: what runs there, what its instructions are divided by, and limits.
MANY, ONE = 128 * 1024 * 1024, 1024 * 1024
REGIONS = [
    ("linear s8 -> s32, 128x1024x1024", MANY, {"dotprod": 0.085, "i8mm": 0.045}),
    ("linear s8 -> s8, 128x1024x1024", MANY, {}),
    ("linear s8 -> s8, 1x1024x1024", ONE, {}),
    ("linear s4 -> s8, 128x1024x1024", MANY, {"dotprod": 0.09, "i8mm": 0.055}),
    ("linear s4 -> s8, 1x1024x1024", ONE, {}),
    ("linear s2 -> s8, 128x1024x1024", MANY, {"dotprod": 0.09, "i8mm": 0.055}),
    ("linear s2 -> s8, 1x1024x1024", ONE, {}),
    ("linear s4 by 32, f32, 128x1024x1024", MANY, {"dotprod": 0.15, "i8mm": 0.115}),
    ("linear s4 by 32, f32, 1x1024x1024", ONE, {}),
    ("depthwise 3x3, 64 channels, 32x32", 32 * 32 * 64 * 9, {}),
    ("add", 65536, {}),
    ("requantize", 65536, {}),
    ("max_pool 2x2", 65536, {}),
    ("average_pool 2x2", 65536, {}),
    ("linear s8, 1/4 in 4x4, 128x1024x1024", MANY, {}),
    ("linear s8, 1/4 in 1x4, 128x1024x1024", MANY, {}),
    ("linear s8, 1/4 in 16x4, 1x1024x1024", ONE, {}),
    ("linear f32, 1/4 in 1x1, 128x1024x1024", MANY, {}),
    ("linear f32, 1/4 in 4x1, 128x1024x1024", MANY, {}),
    ("linear f32, 1/4 in 16x1, 1x1024x1024", ONE, {}),
]
# A region may execute at most this share of another one.
SHARES = [
    (14, 1, {"neon": 0.35, "dotprod": 0.35}),
    (15, 1, {"neon": 0.36, "dotprod": 0.4}),
    (16, 2, {"neon": 0.45, "dotprod": 0.53}),
]

# Processors of llvm-mca, and the least share of cycles in which SDOT's port is to work.
PROCESSORS = {"neoverse-n1": 0.9, "cortex-a55": 0.9}


class Failure(Exception):
    pass


def must_run(command, text=None):
    done = subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def count(program, plugin):
    """Prints instructions for each multiply-accumulate or element; false where one is too many."""
    regions = {}
    for isa, cpu in ISAS.items():
        _, err = must_run(["qemu-aarch64", "-cpu", cpu, "-plugin", plugin, program, isa])
        regions[isa] = {int(n): int(c) for n, c in re.findall(r"^region (\d+) (\d+)$", err, re.M)}
    print(f"{'instructions for each product or element':40}" + "".join(f"{isa:>10}" for isa in ISAS))
    good = True
    for number, (what, by, limits) in enumerate(REGIONS):
        line = f"{what:40}"
        for isa in ISAS:
            each = regions[isa][number] / by
            line += f"{each:10.4f}"
            if each > limits.get(isa, each):
                good = False
                line += f" (more than {limits[isa]})"
        print(line)
    for of, by, limits in SHARES:
        line = f"{REGIONS[of][0]}: share of the dense"[:40].ljust(40)
        for isa in ISAS:
            share = regions[isa][of] / regions[isa][by]
            line += f"{share:10.3f}"
            if share > limits.get(isa, share):
                good = False
                line += f" (more than {limits[isa]})"
        print(line)
    return good


def function(program, objdump, pattern):
    """The instructions of the function whose name matches, with their addresses."""
    out, _ = must_run([objdump, "-d", "-C", "--no-show-raw-insn", program])
    body, inside = [], False
    for line in out.splitlines():
        head = re.match(r"^[0-9a-f]+ <(.*)>:$", line)
        if head:
            if body:
                return body
            inside = re.search(pattern, head[1]) is not None
        instruction = re.match(r"^\s*([0-9a-f]+):\s+(.*)$", line)
        if inside and instruction:
            body.append((int(instruction[1], 16), re.sub(r"\s*(//|<).*", "", instruction[2])))
    raise Failure(f"no function {pattern} in {program}")


BRANCH = re.compile(r"^(b\.?\w*|cbn?z\s+\w+,|tbn?z\s+\w+, #\w+,)\s+([0-9a-f]+)$")


def innermost_loop(body, instruction):
    """The loop with the largest share of `instruction`, as text."""
    places = {address: i for i, (address, _) in enumerate(body)}
    loops = []
    for i, (_, text) in enumerate(body):
        branch = BRANCH.match(text)
        first = places.get(int(branch[2], 16), i + 1) if branch else i + 1
        if first <= i:
            loops.append([text for _, text in body[first : i + 1]])
    loop = max(loops, key=lambda texts: sum(text.startswith(instruction) for text in texts) / len(texts))
    branches = [BRANCH.match(text) for text in loop]
    return "\n".join(f"{b[1]} 0" if b else text for b, text in zip(branches, loop)) + "\n"


def find_mca():
    for name in ["llvm-mca"] + [f"llvm-mca-{version}" for version in range(30, 14, -1)]:
        command = shutil.which(name)
        if command:
            version = re.search(r"LLVM version (\d+)", must_run([command, "--version"])[0])
            if version and int(version[1]) >= 15:
                return command, version[1]
    return None, None


def model(program, objdump):
    """Prints how busy SDOT's port is; false where it waits too much."""
    mca, version = find_mca()
    if mca is None:
        print("\nno llvm-mca of LLVM 15 or newer: the model of the inner loop is left out")
        return True
    loops = [innermost_loop(function(program, objdump, rf"dotprod::.*::tiles<6, {is_unsigned}>"), "sdot")
             for is_unsigned in ("false", "true")]
    print(f"\n{f'share of cycles with SDOT, LLVM {version}':40}" + "".join(f"{x:>10}" for x in ("s8", "u8")))
    good, iterations = True, 100
    for cpu, least in PROCESSORS.items():
        line = f"{cpu:40}"
        for loop in loops:
            out, _ = must_run([mca, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod",
                               f"-iterations={iterations}"], loop)
            cycles = int(re.search(r"Total Cycles:\s+(\d+)", out)[1]) / iterations
            each = float(re.search(r"^\s*\d+\s+\d+\s+([\d.]+)[\s*U]+sdot", out, re.M)[1])
            share = loop.count("sdot") * each / cycles
            line += f"{100 * share:9.1f}%"
            if share < least:
                good = False
                line += f" (less than {100 * least:.0f}%)"
        print(line)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cxx", default="aarch64-linux-gnu-g++")
    parser.add_argument("--build", type=pathlib.Path, help="where to build; otherwise a folder that goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build = options.build or pathlib.Path(folder)
        build.mkdir(parents=True, exist_ok=True)
        plugin, program = build / "libcount_instructions.so", build / "count"
        must_run(["cc", "-O2", "-fPIC", "-shared", "-o", plugin,
                  ROOT / "tests" / "firmware" / "count_instructions.c"])
        must_run([options.cxx, *FLAGS, f"-I{ROOT / 'include'}", "-static", HERE / "count.cpp", "-o", program])
        version, _ = must_run([options.cxx, "--version"])
        print(f"{version.splitlines()[0]}, {' '.join(FLAGS[1:3])}")
        is_few = count(program, plugin)
        is_busy = model(program, "aarch64-linux-gnu-objdump")
    return 0 if is_few and is_busy else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
