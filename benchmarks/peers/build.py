# SPDX-License-Identifier: MIT
"""The peers: what each needs, and how it is built. Each gives the command that WORKLOAD SIZE THREADS SECONDS follow."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig

HERE = os.path.dirname(os.path.abspath(__file__))


class Missing(Exception):
    """What a peer needs is not here; says what went wrong."""


def call(command, **options):
    """Runs a step of a build; its output only matters if it fails."""
    if not shutil.which(command[0]):
        raise Missing(f"no {command[0]}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if "error" in line] or [f"{command[0]} failed"]
        raise Missing(lines[0])
    return done.stdout


def is_fresh(program, *folders):
    """True if nothing in the folders has changed since the program was built."""
    if not os.path.exists(program):
        return False
    built = os.path.getmtime(program)
    files = [os.path.join(folder, name) for folder in folders for name in os.listdir(os.path.join(HERE, folder))]
    return all(os.path.getmtime(os.path.join(HERE, file)) < built for file in [*files, "build.py"])


def build_c(arguments, name, heap, flags):
    program = os.path.join(arguments.build, name)
    sources = sorted(os.path.join(HERE, "c", file) for file in os.listdir(os.path.join(HERE, "c")) if file.endswith(".c"))
    if name != "ouro" and is_fresh(program, "c", ".."):
        return [program]
    call(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread", "-I" + os.path.join(HERE, "c"), "-include", heap,
          *sources, os.path.join(HERE, "..", "histogram.c"), "-o", program, *flags, "-lm"])
    return [program]


def build_ouro(arguments):
    if arguments.ouro:
        return [os.path.abspath(arguments.ouro)]
    if "OURO_FLAGS" in os.environ:
        flags = shlex.split(os.environ["OURO_FLAGS"])
    else:
        folder = call(["pkg-config", "--variable=libdir", "ouro"]).strip()
        flags = call(["pkg-config", "--cflags", "--libs", "ouro"]).split() + [f"-Wl,-rpath,{folder}"]
    return build_c(arguments, "ouro", "heap_ouro.h", flags)


def malloc(library):
    flags = ["-Wl,--no-as-needed", "-l" + library, "-Wl,--as-needed"] if library else []
    return lambda arguments: build_c(arguments, library or "glibc", "heap_malloc.h", flags + ["-lurcu-bp"])


def build_boehm(arguments):
    return build_c(arguments, "boehm", "heap_gc.h", ["-lgc"])


def build_go(arguments):
    program = os.path.join(arguments.build, "go-peer")
    call(["go", "build", "-o", program, "."], cwd=os.path.join(HERE, "go"),
         env={**os.environ, "GOTOOLCHAIN": "local"})
    return [program]


def java(*options):
    def build(arguments):
        classes = os.path.join(arguments.build, "java")
        if not is_fresh(os.path.join(classes, "Peer.class"), "java"):
            call(["javac", "-d", classes, os.path.join(HERE, "java", "Peer.java")])
        call(["java", *options, "-version"])
        return ["java", "-Xmx4g", *options, "-cp", classes, "Peer"]

    return build


def python(find):
    def build(_):
        program = find()
        if not program:
            raise Missing("not found")
        return [program, os.path.join(HERE, "python", "peer.py")]

    return build


def find_python():
    return next((p for p in ("/usr/bin/python3", "python3") if shutil.which(p)), None)


def find_python_ft():
    if "PYTHON_FT" in os.environ:
        return os.environ["PYTHON_FT"]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return sys.executable
    return next((p for p in ("python3.15t", "python3.14t", "python3.13t") if shutil.which(p)), None)


def build_arc(arguments):
    program = os.path.join(arguments.build, "arc")
    if is_fresh(program, "rust/src"):
        return [program]
    call(["rustc", "-C", "opt-level=3", "--edition", "2021", "-o", program, os.path.join(HERE, "rust", "src", "arc.rs")])
    return [program]


def build_dumpster(arguments):
    target = os.path.join(arguments.build, "rust")
    offline = [] if arguments.fetch else ["--offline"]
    call(["cargo", "build", "--quiet", "--release", *offline, "--target-dir", target], cwd=os.path.join(HERE, "rust"))
    return [os.path.join(target, "release", "dumpster")]


def package(name):
    return ["dpkg-query", "-W", "-f", "${Version}", name]


# name, what it needs (Debian's names where it has them), how to build it, what tells its version ({}: the program)
PEERS = [
    ("ouro", "gcc, and ouro installed (pkg-config) or --ouro PROGRAM", build_ouro, None),
    ("glibc", "gcc liburcu-dev", malloc(""), ["ldd", "--version"]),
    ("mimalloc", "gcc liburcu-dev libmimalloc-dev", malloc("mimalloc"), package("libmimalloc-dev")),
    ("jemalloc", "gcc liburcu-dev libjemalloc-dev", malloc("jemalloc"), package("libjemalloc-dev")),
    ("boehm", "gcc libgc-dev", build_boehm, package("libgc-dev")),
    ("go", "Go 1.19 or later (golang-go)", build_go, ["go", "version"]),
    ("java-g1", "a JDK, 17 or later (openjdk-17-jdk-headless)",
     java("-XX:+UseG1GC", "-XX:+ExplicitGCInvokesConcurrent"), ["java", "-version"]),
    ("java-zgc", "a JDK, 17 or later (openjdk-17-jdk-headless)", java("-XX:+UseZGC"), ["java", "-version"]),
    ("python", "python3", python(find_python), ["{}", "--version"]),
    ("python-ft", "a free-threaded CPython, 3.13 or later (PYTHON_FT=PROGRAM, or python3.14t on PATH)",
     python(find_python_ft), ["{}", "--version"]),
    ("arc", "rustc, 1.63 or later (rustc)", build_arc, ["rustc", "--version"]),
    ("dumpster", "cargo, and the crate dumpster 2 (--fetch lets cargo get it)", build_dumpster,
     ["sed", "-n", "/^name = .dumpster.$/{n;s/version = //p}", os.path.join(HERE, "rust", "Cargo.lock")]),
]


def version_of(command, program):
    """The first line that it prints, or "": nobody needs it for running."""
    try:
        words = [word.replace("{}", program[0]) for word in command]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def build_all(names, arguments, results):
    """Returns [(peer, command)] and {peer: version}; those that lack something are left out, and a line says what."""
    programs, versions = [], {}
    os.makedirs(arguments.build, exist_ok=True)
    for name, needs, build, version in PEERS:
        if name not in names:
            continue
        if sys.stderr.isatty():
            print(f"\r\033[Kbuilding {name}", end="", file=sys.stderr, flush=True)
        try:
            program = build(arguments)
        except Missing as error:
            print(f"without {name}: it needs {needs} ({error})", flush=True)
            results.leave_out(None, name, f"needs {needs} ({error})")
            continue
        programs.append((name, program))
        if version:
            versions[name] = version_of(version, program)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return programs, versions
