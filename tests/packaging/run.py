#!/usr/bin/env python3
"""Builds and runs a user's project that gets pare in one of the ways the README names.

    run.py KIND --work DIR --compiler CXX [--build DIR] [--cmake CMAKE] [--meson MESON]
                [--include DIR]...

KIND: find_package, find_package_inference, add_subdirectory, add_subdirectory_inference,
      fetch_content, meson, vendored
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(*command, **options):
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, **options)


class Project:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def cmake(self, folder, *definitions, programs=("app", "firmware")):
        build = self.work / "build"
        run(self.options.cmake, "-S", HERE / folder, "-B", build, "-G", "Ninja",
            f"-DCMAKE_CXX_COMPILER={self.options.compiler}", *definitions)
        run(self.options.cmake, "--build", build)
        for program in programs:
            run(build / program)

    def installed(self):
        """Installs, and moves what was installed: a package must not remember its first place."""
        first, then = self.work / "first", self.work / "prefix"
        run(self.options.cmake, "--install", self.options.build, "--prefix", first)
        first.rename(then)
        headers = {p.relative_to(ROOT / "include") for p in (ROOT / "include").rglob("*.hpp")}
        installed = {p.relative_to(then / "include") for p in then.rglob("*.hpp")}
        if headers != installed:
            sys.exit(f"installed headers differ: {sorted(map(str, headers ^ installed))}")
        return f"-DCMAKE_PREFIX_PATH={then}"

    def find_package(self):
        self.cmake("find_package", self.installed())

    def find_package_inference(self):
        self.cmake("find_package", self.installed(), "-DINFERENCE_ONLY=ON",
                   "-DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON",
                   "-DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON", programs=["firmware"])

    def add_subdirectory(self):
        self.cmake("add_subdirectory", f"-DPARE_SOURCE={ROOT}")

    def add_subdirectory_inference(self):
        self.cmake("add_subdirectory", f"-DPARE_SOURCE={ROOT}", "-DPARE_HOST=OFF",
                   "-DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON",
                   "-DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON", programs=["firmware"])

    def fetch_content(self):
        self.cmake("fetch_content", f"-DFETCHCONTENT_SOURCE_DIR_PARE={ROOT}")

    def meson(self):
        source, build = self.work / "source", self.work / "build"
        shutil.copytree(HERE / "meson", source)
        for program in ("app.cpp", "firmware.cpp"):
            shutil.copy(HERE / program, source)
        (source / "subprojects").mkdir()
        (source / "subprojects" / "pare").symlink_to(ROOT, target_is_directory=True)
        run("env", f"CXX={self.options.compiler}", self.options.meson, "setup",
            "--wrap-mode=nodownload", build, source)
        run(self.options.meson, "compile", "-C", build)
        for program in ("app", "firmware"):
            run(build / program)

    def vendored(self):
        shutil.copytree(ROOT / "include" / "pare", self.work / "third_party" / "pare")
        compile_ = [self.options.compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I",
                    self.work / "third_party"]
        # /usr/include is where the compiler looks anyway, and naming it would change the order.
        system = [word for folder in self.options.include if folder != "/usr/include"
                  for word in ("-isystem", folder)]
        run(*compile_, HERE / "firmware.cpp", "-o", self.work / "firmware")
        run(*compile_, *system, HERE / "app.cpp", "-o", self.work / "app")
        for program in ("app", "firmware"):
            run(self.work / program)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--meson", default="meson")
    parser.add_argument("--include", action="append", default=[])
    options = parser.parse_args()
    try:
        getattr(Project(options), options.kind)()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{options.kind}: {error}")


if __name__ == "__main__":
    main()
