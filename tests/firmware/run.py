#!/usr/bin/env python3
"""Builds the programs of this folder for Cortex-M, runs them under QEMU, and compares.

  run.py [--board m4|m55] [--cxx arm-none-eabi-g++] [--build DIR]

check_*.cpp print hashes of outputs: each build must print what the scalar build (PARE_NO_SIMD)
prints, or the script fails. count_*.cpp run operators at the shapes below; their instructions are
counted by a QEMU plugin (count_instructions.c) and shown beside those of CMSIS-NN. size_operator.cpp
holds one operator: what it adds to an empty program. Counts and sizes above their limits fail.

Instructions are no cycles. They are exact and the same on each machine, so that a change shows.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"

BOARDS = {
    "m4": ("mps2-an386", ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]),
    "m55": ("mps3-an547", ["-mcpu=cortex-m55", "-mfloat-abi=hard"]),
}
LEVELS = ["-Os", "-O3"]
FLAGS = (
    "-mthumb -std=c++17 -Wall -Wextra -Werror -DNDEBUG -fno-exceptions -fno-rtti"
    " -fno-threadsafe-statics -ffunction-sections -fdata-sections"
).split()
LINK = "--specs=nano.specs -nostartfiles -Wl,--gc-sections".split()

# Regions of count_*.cpp: what runs there, what its instructions are divided by, and executed
# instructions by CMSIS-NN at (board, level), where known.
#
# CMSIS-NN: main branch of July 2026, arm-none-eabi-g++ 12.2 with the flags above, the same counter,
# the same numbers in and out; s8, per-tensor (fully connected) or per-channel (convolutions).
COUNTS = {
    "count_linear": [
        ("linear s8 64 -> 10", 64 * 10,
         {"m4-Os": 3.82, "m4-O3": 2.87, "m55-Os": 1.55, "m55-O3": 1.12}),
        ("linear s8 256 -> 128", 256 * 128,
         {"m4-Os": 3.06, "m4-O3": 2.07, "m55-Os": 0.87, "m55-O3": 0.52}),
        ("linear s8 784 -> 100", 784 * 100,
         {"m4-Os": 2.94, "m4-O3": 1.94, "m55-Os": 0.82, "m55-O3": 0.49}),
        ("linear s4 256 -> 128", 256 * 128,
         {"m4-Os": 5.99, "m4-O3": 5.07, "m55-Os": 0.68, "m55-O3": 0.47}),
    ],
    "count_sparse": [
        ("linear s8 256 -> 256", 256 * 256, {}),
        ("the same, a quarter in blocks of 1x4", 256 * 256, {}),
        ("the same, a quarter in blocks of 4x4", 256 * 256, {}),
    ],
    "count_conv": [
        ("conv2d 1x1, 64 -> 64, 8x8", 64 * 64 * 64,
         {"m4-Os": 2.40, "m4-O3": 2.11, "m55-Os": 0.41, "m55-O3": 0.39}),
        ("conv2d 3x3, 16 -> 32, 16x16", 256 * 9 * 16 * 32,
         {"m4-Os": 3.03, "m4-O3": 2.14, "m55-Os": 0.36, "m55-O3": 0.33}),
        ("depthwise 3x3, 32 channels, 16x16", 256 * 9 * 32,
         {"m4-Os": 10.0, "m4-O3": 8.78, "m55-Os": 4.71, "m55-O3": 2.69}),
    ],
}
# The most instructions that a row may take at (board, level).
MOST = {
    "linear s8 256 -> 128": {"m4-Os": 2.0, "m4-O3": 1.75, "m55-O3": 0.32},
    "linear s8 784 -> 100": {"m4-Os": 2.0, "m4-O3": 1.65, "m55-O3": 0.25},
    "linear s4 256 -> 128": {"m4-O3": 2.4, "m55-O3": 0.45},
    "conv2d 1x1, 64 -> 64, 8x8": {"m4-O3": 2.1, "m55-O3": 0.37},
    "conv2d 3x3, 16 -> 32, 16x16": {"m4-O3": 2.1, "m55-O3": 0.32},
    "depthwise 3x3, 32 channels, 16x16": {"m4-O3": 6.0, "m55-O3": 2.4},
    "softmax, 10 classes": {"m4-O3": 1500},
}
# Instructions of a region may be at most this share of another one's of the same program.
SHARES = {
    "m4": [("count_sparse", 1, 0, 0.45), ("count_sparse", 2, 0, 0.36)],
    "m55": [("count_sparse", 1, 0, 0.7), ("count_sparse", 2, 0, 0.5)],
}
# The same for operators without weights: all of softmax, otherwise for each element that is read.
ELEMENTS = {
    "count_elementwise": [
        ("softmax, 10 classes", 1, {"m4-O3": "1900-3400"}),
        ("max_pool 2x2, 32 channels, 16x16", 16 * 16 * 32, {}),
        ("average_pool 2x2, 32 channels, 16x16", 16 * 16 * 32, {}),
        ("global_average_pool, 32 channels, 16x16", 16 * 16 * 32, {}),
        ("add, 8192 codes", 8192, {}),
        ("table, 8192 codes", 8192, {}),
    ],
}

# Errors of CMSIS-NN are codes, too.
NO_TEXTS = "-DPARE_ERROR_TEXTS=0"
# Operators of size_operator.cpp, and bytes of code and constants that CMSIS-NN's take at -Os.
SIZES = {
    "linear_s8": {"m4": 1688, "m55": 1704},
    "linear_s4": {"m4": 1780, "m55": 2152},
    "conv2d_1x1": {"m4": 2368, "m55": 1164},
    "conv2d": {"m4": 4068, "m55": 2132},
    "depthwise": {"m4": 5236, "m55": 7888},
    "softmax": {"m4": 3292, "m55": 3560},
    "max_pool": {},
    "average_pool": {},
    "global_average_pool": {},
    "add": {},
    "table": {},
}
# The most bytes that an operator may take: less than CMSIS-NN's, unless it stands here.
MOST_BYTES = {
    "conv2d_1x1": {"m55": 2400},
    "conv2d": {"m55": 3100},
    "max_pool": {"m4": 1500, "m55": 1500},
    "average_pool": {"m4": 1650, "m55": 1650},
    "global_average_pool": {"m4": 1750, "m55": 1800},
    "add": {"m4": 1400, "m55": 1450},
    "table": {"m4": 800, "m55": 800},
}


class Failure(Exception):
    pass


def run(command):
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


def must_run(command):
    code, out, err = run(command)
    if code != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{out}{err}")
    return out, err


class Board:
    def __init__(self, name, options):
        self.name = name
        self.machine, self.flags = BOARDS[name]
        self.cxx = options.cxx
        self.build = options.build
        self.linked = set()

    def compile(self, program, level, *more):
        """The path of the linked program."""
        elf = self.build / f"{program}-{self.name}{level}{''.join(more)}.elf"
        if elf in self.linked:
            return elf
        sources = [HERE / name for name in ("startup.cpp", "board.cpp", f"{program}.cpp")]
        command = [self.cxx, *self.flags, *FLAGS, level, *more, f"-I{INCLUDE}", *sources]
        must_run([*command, *LINK, "-T", HERE / "board.ld", "-o", elf])
        self.linked.add(elf)
        return elf

    def run(self, elf):
        """What a program prints, and the instructions of its regions."""
        command = ["qemu-system-arm", "-M", self.machine, "-nographic", "-monitor", "none"]
        command += ["-serial", "null", "-semihosting-config", "enable=on,target=native"]
        command += ["-plugin", self.build / "libcount_instructions.so", "-kernel", elf]
        # Semihosting prints on stderr, as the plugin does.
        code, out, err = run(command)
        text = out + err
        if code != 0:
            raise Failure(f"{elf.name} leaves with {code}:\n{text}")
        regions = {int(n): int(c) for n, c in re.findall(r"^region (\d+) (\d+)$", text, re.M)}
        return re.findall(r"^-?\d+$", text, re.M), regions

    def text_bytes(self, operator):
        elf = self.compile("size_operator", "-Os", f"-DOPERATOR={operator}", NO_TEXTS)
        size = pathlib.Path(self.cxx).name.replace("g++", "size").replace("c++", "size")
        out, _ = must_run([pathlib.Path(self.cxx).with_name(size), elf])
        return int(out.splitlines()[1].split()[0])


def checks():
    return [source.stem for source in sorted(HERE.glob("check_*.cpp"))]


def all_programs():
    """What `compile` will be asked for."""
    for program in checks():
        yield program, "-O2", "-DPARE_NO_SIMD"
        for level in LEVELS:
            yield program, level
    for program in [*COUNTS, *ELEMENTS]:
        for level in LEVELS:
            yield program, level
    for operator in ["nothing", *SIZES]:
        yield "size_operator", "-Os", f"-DOPERATOR={operator}", NO_TEXTS


def check(board):
    """Whether all builds print what the scalar one does."""
    failures = 0
    for program in checks():
        expected, _ = board.run(board.compile(program, "-O2", "-DPARE_NO_SIMD"))
        if not expected:
            raise Failure(f"{program} prints nothing")
        for level in LEVELS:
            got, _ = board.run(board.compile(program, level))
            wrong = [i for i, pair in enumerate(zip(expected, got)) if pair[0] != pair[1]]
            if wrong or len(got) != len(expected):
                failures += 1
                print(f"{board.name} {level} {program}: {len(wrong)} of {len(expected)} outputs are "
                      f"wrong, the first in line {wrong[0] + 1 if wrong else len(got)}")
            else:
                print(f"{board.name} {level} {program}: {len(expected)} outputs, all bits as scalar code")
    return failures


def row(board, what, cells):
    print(f"{board.name:<4} {what:<40}" + "".join(f"{cell:>10}" for cell in cells))


def is_above(board, what, value, most):
    """1, and a line, where there is a limit and it is exceeded."""
    if most is None or value <= most:
        return 0
    print(f"{board.name} {what}: {value} is above the limit of {most}")
    return 1


def count(board, programs):
    """Rows of a table: instructions, here and by CMSIS-NN. How many exceed their limit."""
    failures = 0
    for program, regions in programs.items():
        counts = [board.run(board.compile(program, level))[1] for level in LEVELS]
        for number, (what, divisor, anchors) in enumerate(regions):
            cells = []
            for level, counted in zip(LEVELS, counts):
                ours = counted[number] / divisor
                cells += [f"{ours:.{0 if divisor == 1 else 3}f}", anchors.get(board.name + level, "-")]
                most = MOST.get(what, {}).get(board.name + level)
                failures += is_above(board, f"{level} {what}", ours, most)
            row(board, what, cells)
        for name, of, by, limit in SHARES[board.name]:
            for level, counted in zip(LEVELS, counts):
                if name == program and counted[of] > limit * counted[by]:
                    failures += 1
                    print(f"{board.name} {level} {name}: region {of} executes more than {limit} of region {by}")
    return failures


def sizes(board):
    """Rows of a table: bytes, here and of CMSIS-NN. How many exceed their limit."""
    empty = board.text_bytes("nothing")
    failures = 0
    for operator, anchors in SIZES.items():
        size, anchor = board.text_bytes(operator) - empty, anchors.get(board.name)
        most = MOST_BYTES.get(operator, {}).get(board.name, anchor and anchor - 1)
        failures += is_above(board, operator, size, most)
        row(board, operator, [size, anchor or "-"])
    return failures


def heading(what, columns):
    print(f"\n{what:<45}" + "".join(f"{column:>10}" for column in columns))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--board", choices=BOARDS, action="append", help="these alone")
    parser.add_argument("--cxx", default="arm-none-eabi-g++")
    parser.add_argument("--build", type=pathlib.Path, help="where to build; otherwise a folder that goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options.build = options.build or pathlib.Path(folder)
        options.build.mkdir(parents=True, exist_ok=True)
        plugin = options.build / "libcount_instructions.so"
        must_run(["cc", "-O2", "-fPIC", "-shared", "-o", plugin, HERE / "count_instructions.c"])
        boards = [Board(name, options) for name in options.board or BOARDS]
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            work = [pool.submit(board.compile, *program)
                    for board in boards for program in all_programs()]
            for done in work:
                done.result()
        version, _ = must_run([options.cxx, "--version"])
        print(f"{version.splitlines()[0]}, {' '.join(FLAGS[2:])}")
        failures = sum(check(board) for board in boards)
        levels = ["-Os", "CMSIS-NN", "-O3", "CMSIS-NN"]
        heading("instructions for each multiply-accumulate", levels)
        for board in boards:
            failures += count(board, COUNTS)
        heading("instructions: softmax; others for each code", levels)
        for board in boards:
            failures += count(board, ELEMENTS)
        heading(f"bytes of an operator ({NO_TEXTS})", levels[:2])
        for board in boards:
            failures += sizes(board)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
