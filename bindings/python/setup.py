# SPDX-License-Identifier: MIT
"""Builds libouro.so.0 and the extension that uses it, side by side in the package.

In a checkout the library's sources are ../../lib, the interface is ../swig, and SWIG is run. `sdist` gathers all of it in csrc/, SWIG's output
included; from there a build needs a C compiler and liburcu only.
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
GATHERED = HERE / "csrc"
TOP = HERE.parent.parent
IS_CHECKOUT = (TOP / "lib" / "ouro.map").exists() and (HERE.parent / "swig" / "ouro.i").exists()
LIB = TOP / "lib" if IS_CHECKOUT else GATHERED / "lib"
SWIG = HERE.parent / "swig" if IS_CHECKOUT else GATHERED / "swig"
LIBRARY = "libouro.so.0"

FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DNDEBUG", "-DOURO_DEBUG=0", "-fvisibility=hidden", "-pthread", "-g0"]


def version():
    text = (LIB / "include" / "ouro" / "version.h").read_text()
    return re.search(r'OURO_VERSION_STRING "(.*)"', text).group(1)


def pkg_config(option):
    try:
        said = subprocess.run(["pkg-config", option, "liburcu-bp", "liburcu-cds"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        sys.exit("ouro needs liburcu and pkg-config; on Debian: apt install liburcu-dev pkg-config")
    return shlex.split(said)


def run_swig(output):
    swig = os.environ.get("SWIG", "swig")
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [swig, "-python", "-builtin", "-module", "ouro", f"-I{SWIG}", "-outdir", str(output.parent), "-o", str(output), str(SWIG / "ouro.i")]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        sys.exit("a build from a checkout needs SWIG; on Debian: apt install swig")


def gather():
    """Everything that a build outside a checkout needs, into csrc/."""
    shutil.rmtree(GATHERED, ignore_errors=True)
    for pattern in ("ouro.map", "*/*.c", "*/*.h", "include/ouro/**/*.h"):
        for source in LIB.glob(pattern):
            target = GATHERED / "lib" / source.relative_to(LIB)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    (GATHERED / "swig").mkdir(parents=True)
    for source in [*SWIG.glob("*.h"), SWIG / "ouro.i", SWIG / "ouro_python.i"]:
        shutil.copyfile(source, GATHERED / "swig" / source.name)
    run_swig(GATHERED / "ouro_wrap.c")
    (GATHERED / "ouro.py").unlink()


class BuildExt(build_ext):
    def compile_all(self, sources, directory, flags):
        directory = pathlib.Path(self.build_temp) / directory
        made = []

        def compile(source):
            # Not self.compiler.compile(): it works on one file at a time, and 60 of them take a while.
            target = directory / (re.sub(r"[^A-Za-z0-9]", "_", os.path.relpath(source, HERE)) + ".o")
            target.parent.mkdir(parents=True, exist_ok=True)
            self.compiler.spawn([*self.compiler.compiler_so, *FLAGS, *flags, "-c", str(source), "-o", str(target)])
            return str(target)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            made = list(pool.map(compile, sources))
        return made

    def library_path(self):
        return pathlib.Path(self.get_ext_fullpath("ouro._ouro")).with_name(LIBRARY)

    def build_library(self):
        sources = sorted(LIB.glob("*/*.c"))
        objects = self.compile_all(
            sources, "lib", ["-Wall", "-Wextra", "-fno-semantic-interposition", f"-I{LIB}", f"-I{LIB}/include", *pkg_config("--cflags")])
        path = self.library_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object(objects, str(path), extra_postargs=[
            f"-Wl,-soname,{LIBRARY}", f"-Wl,--version-script={LIB}/ouro.map", "-Wl,-Bsymbolic-functions", "-Wl,-z,nodelete", "-Wl,-z,defs",
            "-pthread", *pkg_config("--libs")])

    def build_extension(self, extension):
        wrap = GATHERED / "ouro_wrap.c"
        if IS_CHECKOUT:
            wrap = pathlib.Path(self.build_temp) / "ouro_wrap.c"
            run_swig(wrap)
        self.build_library()
        include = [f"-I{HERE}/src", f"-I{SWIG}", f"-I{LIB}/include", *[f"-I{folder}" for folder in self.compiler.include_dirs]]
        # A type table of its own: other modules made with SWIG shall not share SWIG's base type, which loses its methods here.
        flags = [*include, "-fno-strict-aliasing", "-DSWIG_TYPE_TABLE=ouro"]
        objects = self.compile_all(sorted((HERE / "src").glob("*.c")), "src", ["-Wall", "-Wno-missing-field-initializers", *flags])
        objects += self.compile_all([wrap], "swig", ["-w", *flags])
        library = self.library_path()
        self.compiler.link_shared_object(
            [*objects, str(library)], self.get_ext_fullpath(extension.name),
            extra_postargs=["-Wl,-rpath,$ORIGIN", "-Wl,-z,nodelete", "-pthread"])

    def copy_extensions_to_source(self):  # --inplace, pip install --editable
        super().copy_extensions_to_source()
        self.copy_file(os.path.join(self.build_lib, "ouro", LIBRARY), str(self.library_path()))

    def get_outputs(self):
        return [*super().get_outputs(), str(self.library_path())]


class Sdist(sdist):
    def run(self):
        if IS_CHECKOUT:
            gather()
        try:
            super().run()
        finally:
            if IS_CHECKOUT:
                shutil.rmtree(GATHERED)


setup(version=version(), ext_modules=[Extension("ouro._ouro", sources=[])], cmdclass={"build_ext": BuildExt, "sdist": Sdist})
