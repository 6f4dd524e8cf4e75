#!/usr/bin/env python3
"""Builds the digit readers, runs them under QEMU, checks them and prints what they cost.

    run.py [--build DIR] [--optimize FLAGS] [CORE ...]

For each processor and network: the board must give the bits of the host for every picture, need
neither heap nor initialised RAM, and stay within the flash and RAM that it is given below. Instructions are
counted by the plugin in tests/firmware where a C compiler is at hand. Exits with 1 at any fault.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = HERE.parent / "data"
PLUGIN = ROOT / "tests" / "firmware" / "count_instructions.c"

BOARDS = {"m0plus": "microbit", "m3": "mps2-an385", "m4": "mps2-an386", "m33": "mps2-an505",
          "m55": "mps3-an547"}
NETWORKS = ("mlp", "cnn")
# Bytes of flash beyond the network itself: the library, the compiler's and the board's parts. The
# processors without a floating-point unit carry one in software.
MOST_CODE = {"mlp": 4 * 1024, "cnn": 8 * 1024}
MOST_CODE_IN_SOFTWARE = {"m0plus mlp": 8 * 1024, "m0plus cnn": 14 * 1024, "m3 mlp": 5 * 1024,
                         "m3 cnn": 10 * 1024}
# Bytes of RAM beyond the arena and the stack.
MOST_RAM = 256
FORBIDDEN = re.compile(r"^(malloc|_malloc_r|free|_free_r|calloc|realloc|_?sbrk(_r)?|_Zn[wa][jmy].*"
                       r"|_Zd[la]Pv.*|__cxa_.*|_Unwind_.*|.*GLOBAL__sub_I.*)$")


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          **{"capture_output": True, **options})


class Example:
    def __init__(self, options):
        self.build = options.build.resolve()
        self.build.mkdir(parents=True, exist_ok=True)
        run("make", "-C", HERE, f"BUILD={self.build}", f"OPTIMIZE={options.optimize}",
            f"CORES={' '.join(options.cores)}")
        self.check = self.build / "check"
        run(os.environ.get("CXX", "g++"), "-std=c++17", "-O1", "-Wall", "-Wextra", "-I",
            ROOT / "include", HERE / "check.cpp", "-o", self.check)
        self.plugin = self.build / "count_instructions.so"
        try:
            run(os.environ.get("CC", "gcc"), "-O2", "-fPIC", "-shared", PLUGIN, "-o", self.plugin)
        except (OSError, subprocess.CalledProcessError):
            self.plugin = None
        self.faults = []

    def emulate(self, core, network):
        """What the board prints, and the instructions for each picture."""
        said, counted = self.build / "said.txt", self.build / "counted.txt"
        command = ["qemu-system-arm", "-M", BOARDS[core], "-display", "none", "-monitor", "none",
                   "-serial", "null", "-chardev", f"file,id=said,path={said}",
                   "-semihosting-config", "enable=on,target=native,chardev=said",
                   "-kernel", self.build / f"{core}_{network}.elf"]
        if self.plugin:
            command += ["-plugin", self.plugin]
        with open(counted, "w") as errors:
            run(*command, cwd=DATA, stdin=subprocess.DEVNULL, capture_output=False,
                stdout=subprocess.DEVNULL, stderr=errors, timeout=300)
        counts = [int(n) for n in re.findall(r"^region 0 (\d+)", counted.read_text(), re.M)]
        return said.read_text(), counts

    def measure(self, core, network):
        image = self.build / f"{core}_{network}.elf"
        name = f"{core} {network}"
        text, counts = self.emulate(core, network)
        checked = subprocess.run([self.check, network, DATA], input=text, text=True,
                                 capture_output=True)
        if checked.returncode != 0:
            self.faults.append(f"{name}: {checked.stderr.strip()}")
        size = run("arm-none-eabi-size", image).stdout.splitlines()[1].split()
        flash, data, bss = int(size[0]), int(size[1]), int(size[2])
        weights = 0
        for line in run("arm-none-eabi-nm", "-S", "-C", image).stdout.splitlines():
            words = line.split(maxsplit=3)
            if len(words) < 4:
                words = ["", "", *line.split()[-2:]]
            elif words[3].startswith("digits::") and "(" not in words[3]:
                weights += int(words[1], 16)
            if FORBIDDEN.match(words[3]):
                self.faults.append(f"{name}: needs {words[3]}")
        code = flash - weights
        if data != 0:
            self.faults.append(f"{name}: {data} bytes of initialised RAM")
        most = MOST_CODE_IN_SOFTWARE.get(name, MOST_CODE[network])
        if code > most:
            self.faults.append(f"{name}: {code} bytes of code, more than {most}")
        figures = dict(re.findall(r"^(right|arena|stack) (.*)$", text, re.M))
        if bss > int(figures["arena"]) + MOST_RAM:
            self.faults.append(f"{name}: {bss} bytes of RAM for an arena of {figures['arena']}")
        right = [int(n) for n in figures["right"].split(" of ")]
        mean = f"{sum(counts) // len(counts):,}" if counts else "-"
        return (name, f"{100 * right[0] / right[1]:.2f} %", mean, f"{weights:,}", f"{code:,}",
                f"{int(figures['arena']):,}", f"{bss - int(figures['arena']):,}",
                figures["stack"])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE / "build")
    parser.add_argument("--optimize", default="-Os -flto")
    parser.add_argument("cores", nargs="*", metavar="CORE", default=list(BOARDS),
                        help="among " + ", ".join(BOARDS))
    options = parser.parse_args()
    if unknown := [core for core in options.cores if core not in BOARDS]:
        parser.error(f"there is no board for {unknown[0]}; take {', '.join(BOARDS)}")
    try:
        example = Example(options)
        rows = [example.measure(core, network) for core in options.cores for network in NETWORKS]
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; ./dev setup firmware installs what is needed")
    except subprocess.TimeoutExpired as error:
        sys.exit(f"{error}\nThe image neither ended nor failed: look at it with gdb (qemu -S -s).")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stderr or ''}")
    head = ("image", "right", "instructions", "network B", "code B", "arena B", "other RAM B", "stack B")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(word.ljust(w) if i == 0 else word.rjust(w)
                        for i, (word, w) in enumerate(zip(row, widths))))
    for fault in example.faults:
        print(fault)
    sys.exit(1 if example.faults else 0)


if __name__ == "__main__":
    main()
