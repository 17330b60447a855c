"""Compiler flags shared by all of ouro's C code."""

OURO_COPTS = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-pthread",
    "-Wall",
    "-Wextra",
] + select({
    "//tools/bazel:debug": ["-DOURO_DEBUG=1"],
    "//conditions:default": ["-DOURO_DEBUG=0"],
})

def ouro_include(*folders):
    """-I flags for folders of this repository, also when it is a dependency of another one."""
    repository = native.repository_name().lstrip("@")
    top = "external/%s/" % repository if repository else ""
    return ["-I" + top + folder for folder in folders]
