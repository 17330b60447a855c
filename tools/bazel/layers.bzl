"""The layers of the library, and what is made of them."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load(":copts.bzl", "OURO_COPTS", "ouro_include")

# Bottom to top. A layer may use those before it in this list and is visible to those after it: a dependency upwards
# is a visibility error, and an #include without the dependency finds no file.
LAYERS = [
    "base",
    "port",
    "sync",
    "mem",
    "object",
    "cycle",
    "value",
    "runtime",
]

def ouro_layer(deps = []):
    """The layer that lives in this package, lib/<layer>: all its *.c and *.h. deps: libraries from outside."""
    name = native.package_name().split("/")[-1]
    at = LAYERS.index(name)
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.c", "*.h"], allow_empty = True),
        visibility = ["//lib:__pkg__"],
    )
    cc_library(
        name = name,
        srcs = native.glob(["*.c"], allow_empty = True),
        hdrs = native.glob(["*.h"], allow_empty = True),
        copts = OURO_COPTS + ouro_include("lib") + [
            "-fvisibility=hidden",
            # Calls between functions of the library are not up for replacement at load time.
            "-fno-semantic-interposition",
        ],
        linkopts = ["-pthread"],
        linkstatic = True,
        visibility = ["//lib:__pkg__", "//tests:__pkg__", "//benchmarks:__pkg__"] +
                     ["//lib/%s:__pkg__" % above for above in LAYERS[at + 1:]],
        deps = ["//lib:headers"] + ["//lib/" + below for below in LAYERS[:at]] + deps,
    )

def _ouro_public_library_impl(ctx):
    # Dependents link the implementation and see the headers of the interface only.
    return [CcInfo(
        compilation_context = ctx.attr.interface[CcInfo].compilation_context,
        linking_context = ctx.attr.implementation[CcInfo].linking_context,
    )]

ouro_public_library = rule(
    implementation = _ouro_public_library_impl,
    attrs = {
        "interface": attr.label(providers = [CcInfo], mandatory = True),
        "implementation": attr.label(providers = [CcInfo], mandatory = True),
    },
    provides = [CcInfo],
)

def _ouro_objects_impl(ctx):
    objects = []
    for part in ctx.attr.of[CcInfo].linking_context.linker_inputs.to_list():
        for library in part.libraries:
            objects.extend(library.pic_objects or library.objects or [])
    archive = ctx.actions.declare_file(ctx.attr.archive)
    ctx.actions.run_shell(
        # q, not r: files of two layers may have the same name.
        command = "rm -f \"$1\" && ar qcsD \"$@\"",
        arguments = [archive.path] + [file.path for file in objects],
        inputs = objects,
        outputs = [archive],
        mnemonic = "OuroArchive",
        use_default_shell_env = True,
    )
    return [
        DefaultInfo(files = depset(objects)),
        OutputGroupInfo(archive = depset([archive])),
    ]

# The position-independent objects of a library and of all it depends on, as files for a shared library to be linked
# from; and, in the output group `archive`, one archive of them.
ouro_objects = rule(
    implementation = _ouro_objects_impl,
    attrs = {
        "of": attr.label(providers = [CcInfo], mandatory = True),
        "archive": attr.string(mandatory = True),
    },
)
