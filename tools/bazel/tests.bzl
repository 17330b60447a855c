"""Tests found by their names: a new file is a new test."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load(":copts.bzl", "OURO_COPTS", "ouro_include")

def ouro_c_tests(pattern, library, include = [], size = "small", tags = []):
    """One cc_test, named after its path, for every file that matches the pattern.

    Args:
      pattern: such as "unit/*/*_test.c"
      library: what is tested
      include: folders of the repository to search for headers, beside tests/
      size, tags: as of cc_test
    """
    for file in native.glob([pattern], allow_empty = True):
        cc_test(
            name = file[:-len(".c")],
            size = size,
            srcs = [file],
            copts = OURO_COPTS + ouro_include("tests", *include),
            linkopts = ["-pthread"],
            linkstatic = True,
            tags = tags,
            deps = [library, ":support"] + select({
                "//tools/bazel:sanitized": [":sanitizers"],
                "//conditions:default": [],
            }),
        )
