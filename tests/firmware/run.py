#!/usr/bin/env python3
"""Builds the programs of this folder for Cortex-M, runs them under QEMU, and compares.

  run.py [--board m4|m55] [--cxx arm-none-eabi-g++] [--build DIR]

check_*.cpp print hashes of outputs: each build must print what the scalar build (PARE_NO_SIMD)
prints, or the script fails. count_*.cpp run operators at the shapes below; their instructions are
counted by a QEMU plugin (count_instructions.c) and shown beside those of CMSIS-NN. size_*.cpp hold one
operator each: what they add to an empty program.

Instructions are no cycles. They are exact and the same on each machine, so that a change shows.
"""

import argparse
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

# Regions of count_*.cpp: what runs there, its multiply-accumulates (1: instructions are given as
# they are), and executed instructions for each by CMSIS-NN at (board, level), where known.
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
    "count_conv": [
        ("conv2d 1x1, 64 -> 64, 8x8", 64 * 64 * 64,
         {"m4-Os": 2.40, "m4-O3": 2.11, "m55-Os": 0.41, "m55-O3": 0.39}),
        ("conv2d 3x3, 16 -> 32, 16x16", 256 * 9 * 16 * 32,
         {"m4-Os": 3.03, "m4-O3": 2.14, "m55-Os": 0.36, "m55-O3": 0.33}),
        ("depthwise 3x3, 32 channels, 16x16", 256 * 9 * 32,
         {"m4-Os": 10.0, "m4-O3": 8.78, "m55-Os": 4.71, "m55-O3": 2.69}),
    ],
}

# Bytes of code and constants that CMSIS-NN's operators take at -Os, as above.
SIZES = {
    "size_linear": ("linear s8", {"m4": 1688, "m55": 1704}),
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

    def compile(self, program, level, *more):
        """The path of the linked program."""
        elf = self.build / f"{program}-{self.name}{level}{''.join(more)}.elf"
        sources = [HERE / name for name in ("startup.cpp", "board.cpp", f"{program}.cpp")]
        command = [self.cxx, *self.flags, *FLAGS, level, *more, f"-I{INCLUDE}", *sources]
        must_run([*command, *LINK, "-T", HERE / "board.ld", "-o", elf])
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

    def text_bytes(self, program):
        elf = self.compile(program, "-Os")
        size = pathlib.Path(self.cxx).name.replace("g++", "size").replace("c++", "size")
        out, _ = must_run([pathlib.Path(self.cxx).with_name(size), elf])
        return int(out.splitlines()[1].split()[0])


def check(board):
    """Whether all builds print what the scalar one does."""
    failures = 0
    for source in sorted(HERE.glob("check_*.cpp")):
        program = source.stem
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


def count(board):
    """Rows of the table: instructions, here and by CMSIS-NN."""
    for program, regions in COUNTS.items():
        counts = [board.run(board.compile(program, level))[1] for level in LEVELS]
        for number, (what, macs, anchors) in enumerate(regions):
            cells = []
            for level, counted in zip(LEVELS, counts):
                anchor = anchors.get(board.name + level)
                digits = 0 if macs == 1 else 3
                ours = f"{counted[number] / macs:.{digits}f}"
                cells.append(f"{ours:>9} {anchor if anchor is not None else '-':>9}")
            print(f"{board.name:<4} {what:<34}{''.join(cells)}")


def sizes(board):
    empty = board.text_bytes("size_empty")
    for program, (what, anchors) in SIZES.items():
        ours = board.text_bytes(program) - empty
        print(f"{board.name:<4} {what:<34}{ours:>9} {anchors[board.name]:>9}")


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
        failures = sum(check(board) for board in boards)
        print("\nexecuted instructions for each multiply-accumulate")
        print(f"{'':<39}{'-Os':>9} {'CMSIS-NN':>9}{'-O3':>9} {'CMSIS-NN':>9}")
        for board in boards:
            count(board)
        print("\nbytes of code and constants at -Os")
        print(f"{'':<39}{'':>9} {'CMSIS-NN':>9}")
        for board in boards:
            sizes(board)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
