#!/usr/bin/env python3
"""Checks of the headers by what the compiler itself says. Prints each fault; exits with 1 if any.

    check.py self_contained --build DIR    every header compiles alone, twice, with its guard
    check.py target_tier    --build DIR    core, format and kernels stay within the dependency rule
    check.py umbrellas      --build DIR    pare.hpp and inference.hpp reach every header of theirs
    check.py no_runtime     --build DIR    the target tier's object needs no heap, no unwinder and
                                           no start-up code
    check.py no_runtime     --object FILE --nm NM

The compiler and its flags are those of tests/headers/target_tier.cpp and host_tier.cpp in
DIR/compile_commands.json, which CMake (Ninja, Make) and meson write.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"

# In core/, but for hosts.
HOST_ONLY = {"tensor.hpp", "eigen.hpp", "std_threads.hpp", "std_views.hpp",
             "thread_team.hpp", "xsimd.hpp"}
# What the target tier does not include, itself or through another header of the library.
FORBIDDEN = {"vector", "string", "iostream", "algorithm", "functional", "memory"}
FORBIDDEN_FOLDERS = {"Eigen", "xsimd"}
# Symbols that a program without heap, exceptions and start-up code does not need, nor one for a
# processor without a library of atomics (Cortex-M0+).
FORBIDDEN_SYMBOLS = re.compile(
    r"^(_Zn[wa][jmy].*|_Zd[la]Pv.*|malloc|calloc|realloc|free|aligned_alloc|posix_memalign"
    r"|__atomic_.*|__sync_.*|__cxa_(?!pure_virtual).*|_Unwind_.*|__gxx_personality.*|__dynamic_cast"
    r"|_ZTVN10__cxxabiv1.*|_ZSt\d+__throw.*)$")
START_UP = re.compile(r"^(_GLOBAL__(sub_)?[ID]_.*|__cxx_global_var_init.*"
                      r"|_Z41__static_initialization_and_destruction.*|_ZGV.*)$")


def all_headers():
    return sorted(p.relative_to(INCLUDE) for p in (INCLUDE / "pare").rglob("*.hpp"))


def is_target_tier(header):
    if header.name == "inference.hpp" and len(header.parts) == 2:
        return True
    room = header.parts[1]
    return room in ("format", "kernels") or (room == "core" and header.name not in HOST_ONLY)


class Compiler:
    """The command that compiles one file of the build, for other input."""

    def __init__(self, build, source):
        database = json.loads((build / "compile_commands.json").read_text())
        entries = [e for e in database if pathlib.Path(e["file"]).as_posix().endswith(source)]
        if not entries:
            sys.exit(f"{build}/compile_commands.json has no entry for {source}")
        entry = entries[0]
        words = entry.get("arguments") or shlex.split(entry["command"])
        self.directory = entry["directory"]
        self.object = None
        self.command = []
        skip_next = False
        for i, word in enumerate(words):
            if skip_next:
                skip_next = False
            elif word in ("-o", "-MF", "-MT", "-MQ", "-c"):
                skip_next = True
                if word == "-o":
                    self.object = pathlib.Path(self.directory, words[i + 1])
                if word == "-c":
                    skip_next = words[i + 1].endswith(source)
            elif word in ("-MD", "-MMD") or word.endswith(source):
                continue
            else:
                self.command.append(word)

    def run(self, code, *extra):
        return subprocess.run([*self.command, *extra, "-x", "c++", "-"], input=code, text=True,
                              capture_output=True, cwd=self.directory)

    def includes(self, header):
        """Every file that including `header` reads, as (depth, path), in order: the output of -H."""
        done = self.run(f"#include <{header.as_posix()}>\n", "-H", "-E", "-o", os.devnull)
        if done.returncode != 0:
            sys.exit(done.stderr)
        found = re.findall(r"^(\.+) (.+)$", done.stderr, re.MULTILINE)
        return [(len(dots), os.path.normpath(os.path.join(self.directory, path)))
                for dots, path in found]


class Compilers:
    def __init__(self, build):
        self.target = Compiler(build, "tests/headers/target_tier.cpp")
        self.host = Compiler(build, "tests/headers/host_tier.cpp")

    def of(self, header):
        return self.target if is_target_tier(header) else self.host


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [fault for faults in pool.map(function, items) for fault in faults]


def guard_of(header):
    parts = header.parts[:1] + header.parts[1:]
    return "_".join(re.sub(r"[^A-Za-z0-9]", "_", part).upper() for part in parts)


def self_contained(compilers):
    def check(header):
        include = f"#include <{header.as_posix()}>\n"
        done = compilers.of(header).run(include * 2, "-fsyntax-only")
        faults = []
        if done.returncode != 0:
            faults.append(f"{header} does not compile alone:\n{done.stderr}")
        text = (INCLUDE / header).read_text()
        guard = guard_of(header)
        if not re.search(rf"#ifndef {guard}\n#define {guard}\n", text):
            faults.append(f"{header}: the include guard is not {guard}")
        return faults

    headers = all_headers()
    print(f"{len(headers)} headers, each alone")
    return in_parallel(check, headers)


def short(path):
    path = pathlib.Path(path)
    return path.relative_to(INCLUDE).as_posix() if INCLUDE in path.parents else path.as_posix()


def target_tier(compilers):
    def check(header):
        chain, faults = [], []
        for depth, path in compilers.target.includes(header):
            chain[depth - 1:] = [path]
            parts = pathlib.Path(path).parts
            if parts[-1] in FORBIDDEN or FORBIDDEN_FOLDERS.intersection(parts):
                faults.append(f"{header} includes {parts[-1]}: " + " > ".join(map(short, chain)))
            elif INCLUDE in pathlib.Path(path).parents:
                inner = pathlib.Path(path).relative_to(INCLUDE)
                if not is_target_tier(inner):
                    faults.append(f"{header} includes the host's {inner}: "
                                  + " > ".join(map(short, chain)))
        return faults[:1]

    headers = [h for h in all_headers() if is_target_tier(h)]
    print(f"{len(headers)} headers of the target tier")
    return in_parallel(check, headers)


def umbrellas(compilers):
    faults = []
    for umbrella, compiler, belongs in (
            ("pare/inference.hpp", compilers.target, is_target_tier),
            ("pare/pare.hpp", compilers.host, lambda header: True)):
        reached = {short(path) for _, path in compiler.includes(pathlib.Path(umbrella))}
        reached.add(umbrella)
        wanted = [h.as_posix() for h in all_headers() if belongs(h)]
        print(f"{umbrella} reaches {len(reached & set(wanted))} of {len(wanted)} headers")
        faults += [f"{umbrella} does not include {h}" for h in wanted if h not in reached]
    return faults


def no_runtime(target_object, nm):
    faults = []
    listing = subprocess.run([nm, str(target_object)], text=True, capture_output=True, check=True)
    symbols = [line.split() for line in listing.stdout.splitlines()]
    names = [(words[-2], words[-1].split("@")[0]) for words in symbols if len(words) >= 2]
    print(f"{target_object.name}: {len(names)} symbols")
    if not any(kind in "TW" for kind, _ in names):
        faults.append(f"{target_object} defines no function: nothing was checked")
    for kind, name in names:
        if kind == "U" and FORBIDDEN_SYMBOLS.match(name):
            faults.append(f"the target tier needs {name}")
        if START_UP.match(name):
            faults.append(f"the target tier has start-up code or a guarded static: {name}")
    # A start-up function always has its address in one of these.
    if re.search(rb"\.(init_array|ctors)\b", target_object.read_bytes()):
        faults.append("the target tier's object has a section .init_array or .ctors")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check",
                        choices=["self_contained", "target_tier", "umbrellas", "no_runtime"])
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--object", type=pathlib.Path)
    parser.add_argument("--nm")
    options = parser.parse_args()

    if options.check == "no_runtime":
        target_object, nm = options.object, options.nm
        if options.build:
            compiler = Compiler(options.build, "tests/headers/target_tier.cpp")
            target_object = compiler.object
            nm = subprocess.run([*compiler.command[:1], "-print-prog-name=nm"], text=True,
                                capture_output=True, check=True).stdout.strip()
        faults = no_runtime(target_object, nm)
    else:
        faults = globals()[options.check](Compilers(options.build))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults" if faults else "no faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
