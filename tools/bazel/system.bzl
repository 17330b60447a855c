"""One external repository, @ouro_system, describing what is installed here.

    @ouro_system//:urcu       liburcu, by way of pkg-config; required
    @ouro_system//:mimalloc   for benchmarks; defines OURO_BENCH_MIMALLOC where it is installed, else holds nothing

Nothing is downloaded.
"""

def _words(ctx, command):
    got = ctx.execute(command)
    return [word for word in got.stdout.strip().split(" ") if word] if got.return_code == 0 else None

def _library(ctx, name, cflags, libs):
    """A cc_library whose headers are symlinked here, so that includes= can be used."""
    includes, linkopts, defines = [], [], []
    for flag in cflags:
        if flag.startswith("-I"):
            where = flag[2:]

            # The compiler's own search path; naming it again would reorder it.
            if where == "/usr/include" or (where.startswith("/usr/include/") and where.endswith("-linux-gnu")):
                continue
            here = "%s_include%d" % (name, len(includes))
            ctx.symlink(where, here)
            includes.append(here)
        elif flag.startswith("-D"):
            defines.append(flag[2:])
    for flag in libs:
        if flag not in linkopts:
            linkopts.append(flag)
    return """
cc_library(
    name = "{name}",
    hdrs = glob([d + "/**" for d in {includes}], allow_empty = True) if {includes} else [],
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
)
""".format(name = name, includes = repr(includes), defines = repr(defines), linkopts = repr(linkopts))

def _urcu(ctx):
    modules = ["liburcu-bp", "liburcu-cds"]
    cflags = _words(ctx, ["pkg-config", "--cflags"] + modules)
    libs = _words(ctx, ["pkg-config", "--libs"] + modules)
    if cflags == None or libs == None:
        fail("liburcu not found by pkg-config; on Debian: apt install liburcu-dev pkg-config")
    return _library(ctx, "urcu", cflags, libs)

def _mimalloc(ctx):
    # Some distributions install no pkg-config file for it, so the compiler is asked.
    ctx.file("probe.c", "#include <mimalloc.h>\nint main(void) { mi_free(mi_malloc(1)); return 0; }\n")
    if _words(ctx, [ctx.os.environ.get("CC", "cc"), "probe.c", "-o", "probe", "-lmimalloc"]) == None:
        return _library(ctx, "mimalloc", [], [])

    # libmimalloc has a malloc of its own. With libc named first, `malloc` stays libc's and only mi_... are mimalloc's.
    libs = ["-Wl,--push-state,--no-as-needed", "-lc", "-lmimalloc", "-Wl,--pop-state"]
    return _library(ctx, "mimalloc", ["-DOURO_BENCH_MIMALLOC"], libs)

def _impl(ctx):
    ctx.file("BUILD", "\n".join([
        "load(\"@rules_cc//cc:defs.bzl\", \"cc_library\")",
        "package(default_visibility = [\"//visibility:public\"])",
        _urcu(ctx),
        _mimalloc(ctx),
    ]))

ouro_system = repository_rule(
    implementation = _impl,
    configure = True,
    environ = ["CC", "PKG_CONFIG_PATH"],
    local = True,
)
