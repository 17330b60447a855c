# SPDX-License-Identifier: MIT
"""Where mutants are built and tested: copies of the library in a temporary folder, one build for each configuration.

The tests' objects stay, and only what a change concerns is compiled again: that is why this does not go through Bazel, whose hundred links and
test runs per mutant cannot be ended at the first test that fails."""

import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

SHARED = ["-std=c11", "-D_GNU_SOURCE", "-pthread", "-fPIC", "-w"]
CONFIGS = {
    "dbg": ["-O1", "-g", "-DOURO_DEBUG=1"],  # tests of dev mode look for lines
    "plain": ["-O2", "-DOURO_DEBUG=0"],
    "asan": ["-O1", "-DOURO_DEBUG=0", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"],
    "tsan": ["-O1", "-DOURO_DEBUG=0", "-fsanitize=thread", "-fno-omit-frame-pointer"],
}
LINK = ["-lurcu-bp", "-lurcu-cds", "-lpthread", "-lm", "-ldl"]
PATIENCE, LEAST = 6, 20  # a test hangs after so many times its usual time, at least so many seconds


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)


class Workshop:
    def __init__(self, top, work, config, jobs):
        self.top, self.config, self.jobs = top, config, jobs
        self.work = os.path.join(work, config)
        self.flags = SHARED + CONFIGS[config]
        self.usual = {}  # test: seconds
        self.digest = {}  # object: of its code
        os.makedirs(self.work, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.work, *names)

    # ---- building ----

    def fresh_sources(self):
        shutil.rmtree(self.path("lib"), ignore_errors=True)
        shutil.copytree(os.path.join(self.top, "lib"), self.path("lib"))

    def compile(self, source, target, *include):
        command = ["gcc", *self.flags, f"-I{self.path('lib')}", f"-I{self.path('lib', 'include')}", *include, "-c", source, "-o", target]
        return run(command).returncode == 0

    def object_of(self, source):
        return self.path("o", os.path.relpath(source, self.path("lib")).replace("/", "_")[:-2] + ".o")

    def library_sources(self):
        return sorted(glob.glob(self.path("lib", "*", "*.c")))

    def test_sources(self):
        found = []
        for kind in ("unit/*", "api", "regress", "faults", "stress"):
            found += glob.glob(os.path.join(self.top, "tests", kind, "*_test.c"))
        return sorted(found)

    def test_name(self, source):
        return os.path.relpath(source, os.path.join(self.top, "tests"))[:-2]

    def test_object(self, name):
        return self.path("t", name.replace("/", "_") + ".o")

    def all(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(function, items))

    def build_library(self, sources):
        """False: it cannot be compiled."""
        os.makedirs(self.path("o"), exist_ok=True)
        if not all(self.all(lambda source: self.compile(source, self.object_of(source)), sources)):
            return False
        return self.archive("libouro.a", map(self.object_of, self.library_sources()))

    def archive(self, name, objects):
        archive = self.path(name)
        if os.path.exists(archive):
            os.remove(archive)
        return run(["ar", "qc", archive, *objects]).returncode == 0

    def build_tests(self):
        os.makedirs(self.path("t"), exist_ok=True)
        tests = os.path.join(self.top, "tests")
        support = sorted(glob.glob(os.path.join(tests, "support", "*.c")))
        programs = {"torture": glob.glob(os.path.join(tests, "torture", "*.c")), "player": glob.glob(os.path.join(tests, "scenarios", "*.c"))}
        include = [f"-I{tests}", f"-I{os.path.join(self.top, 'benchmarks')}"]
        jobs = [(source, self.path("t", "support_" + os.path.basename(source)[:-2] + ".o")) for source in support]
        jobs += [(source, self.test_object(self.test_name(source))) for source in self.test_sources()]
        for program, sources in programs.items():
            jobs += [(source, self.path("t", f"{program}-{os.path.basename(source)[:-2]}.o")) for source in sources]
        jobs.append((os.path.join(self.top, "benchmarks", "histogram.c"), self.path("t", "torture-histogram.o")))
        if not all(self.all(lambda job: self.compile(*job, *include), jobs)):
            raise SystemExit("the tests cannot be built")
        self.archive("libsupport.a", sorted(glob.glob(self.path("t", "support_*.o"))))

    def code_of(self, source):
        target = self.object_of(source)
        text = self.path("text")
        run(["objcopy", "--strip-debug", "--remove-section=.comment", target, text])
        with open(text, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def prepare(self):
        """The unchanged library, and how long each test takes with it."""
        self.fresh_sources()
        if not self.build_library(self.library_sources()):
            raise SystemExit("the library cannot be built")
        self.build_tests()
        self.digest = {source: self.code_of(source) for source in self.library_sources()}
        record = self.path("usual.json")
        if os.path.exists(record):
            with open(record, encoding="utf-8") as file:
                self.usual = json.load(file)
        for test in self.tests():
            if test in self.usual:
                continue
            started = time.monotonic()
            said = self.run_test(test, 600)
            if said:
                print(f"{self.config}: {test} fails without any change, and is left out: {said}", flush=True)
                self.usual[test] = None
            else:
                self.usual[test] = time.monotonic() - started
            with open(record, "w", encoding="utf-8") as file:
                json.dump(self.usual, file)

    def change(self, mutant):
        """Builds the library with the change. Returns "cannot be compiled", "the same code", or None."""
        self.fresh_sources()
        mutant.apply(self.work)
        header = mutant.path.endswith(".h")
        sources = self.library_sources() if header else [self.path(mutant.path)]
        if not self.build_library(sources):
            return "cannot be compiled"
        if header:
            self.build_tests()
        if all(self.code_of(source) == self.digest[source] for source in sources):
            return "the same code"
        return None

    def restore(self, mutant):
        """As it was before the change."""
        self.fresh_sources()
        header = mutant.path.endswith(".h")
        self.build_library(self.library_sources() if header else [self.path(mutant.path)])
        if header:
            self.build_tests()

    # ---- testing ----

    def tests(self):
        return [self.test_name(source) for source in self.test_sources()] + ["scenarios/player", "torture/ouro-stress"]

    def order(self, mutant):
        """The changed file's own tests first, then those of its layer, then the quick ones."""
        layer, stem = mutant.path.split("/")[-2:]
        stem = stem[:-2]

        def rank(test):
            own = test == f"unit/{layer}/{stem}_test"
            near = test.startswith(f"unit/{layer}/") or (test.startswith("api/value") and layer == "value")
            return (0 if own else 1 if near else 2, self.usual[test])
        return sorted((test for test in self.tests() if self.usual[test] is not None), key=rank)

    def link(self, test):
        if test == "torture/ouro-stress":
            objects = glob.glob(self.path("t", "torture-*.o"))
        elif test == "scenarios/player":
            objects = glob.glob(self.path("t", "player-*.o"))
        else:
            objects = [self.test_object(test)]
        program = self.path("p_" + test.replace("/", "_"))
        linked = run(["gcc", *self.flags, *objects, self.path("libsupport.a"), self.path("libouro.a"), *LINK, "-o", program])
        if linked.returncode:
            raise SystemExit(linked.stdout)
        return program

    def command(self, test, program):
        if test == "torture/ouro-stress":
            return [program, "--seed", "20260101", "--seconds", "4", "--quiet"]
        if test == "scenarios/player":
            return [program, *sorted(glob.glob(os.path.join(self.top, "tests", "scenarios", "*.txt")))]
        return [program]

    def run_test(self, test, seconds):
        """None, or in a few words how it failed."""
        program = self.link(test)
        environment = dict(os.environ, ASAN_OPTIONS="abort_on_error=1:detect_leaks=1", TSAN_OPTIONS="halt_on_error=1:abort_on_error=0:second_deadlock_stack=1",
                           LC_ALL="C")
        prefix = ["setarch", "-R"] if self.config in ("asan", "tsan") else []
        with open(program + ".log", "w+", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen(prefix + self.command(test, program), stdout=log, stderr=log, cwd=self.work, env=environment,
                                       start_new_session=True)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(process.pid, signal.SIGKILL)  # children of a test that went wrong
            except ProcessLookupError:
                pass
            process.wait()
            log.seek(0)
            said = log.read()
        os.remove(program)
        return None if status == 0 else how(status, said)

    def verdict(self, mutant):
        """(test, how, tests run): the first test that fails; or (None, "", tests run)."""
        tests = self.order(mutant)
        for number, test in enumerate(tests, 1):
            said = self.run_test(test, max(LEAST, PATIENCE * self.usual[test]))
            if said:
                return test, said, number
        return None, "", len(tests)


def how(status, said):
    for line in said.split("\n"):
        for mark, words in (("runtime error:", "UBSan"), ("ERROR: AddressSanitizer", "ASan"), ("ERROR: LeakSanitizer", "LSan"),
                            ("WARNING: ThreadSanitizer", "TSan"), ("assertion", "an internal check"), ("Assertion", "an internal check")):
            if mark in line:
                return words
    if status is None:
        return "hangs"
    if status < 0:
        return signal.Signals(-status).name
    return "a check"
