#!/usr/bin/env python3
"""Keeps tests/sources.txt, the list of test files that CMake and meson both read.

    sources.py --check    fails where the list and the tree differ, and says how
    sources.py --write    writes the list from the tree
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "sources.txt"


def in_tree():
    return sorted(p.relative_to(HERE).as_posix() for p in HERE.glob("*/test_*.cpp"))


def main():
    if sys.argv[1:] not in (["--check"], ["--write"]):
        sys.exit(__doc__)
    tree = in_tree()
    if sys.argv[1] == "--write":
        text = "".join(name + "\n" for name in tree)
        if not LIST.exists() or LIST.read_text() != text:
            LIST.write_text(text)
            print(f"tests/sources.txt: {len(tree)} files")
        return
    listed = LIST.read_text().split()
    for name in sorted(set(tree) - set(listed)):
        print(f"tests/{name} is not in tests/sources.txt: it is not built and not run")
    for name in sorted(set(listed) - set(tree)):
        print(f"tests/sources.txt names {name}, which does not exist")
    if listed != tree:
        sys.exit("tests/sources.txt differs from the tree: run ./dev sources")
    print(f"tests/sources.txt agrees with the tree: {len(tree)} files")


if __name__ == "__main__":
    main()
