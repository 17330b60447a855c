"""A test that is a shell script.

Stands where sh_test would, which moved out of Bazel at different times.
"""

def _impl(ctx):
    words = ["/bin/sh", ctx.file.main.short_path] + ctx.attr.argv
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(out, "\n".join([
        "#!/bin/sh",
        "cd \"$TEST_SRCDIR/$TEST_WORKSPACE\"",
        "exec " + " ".join(["'%s'" % word for word in words]) + " \"$@\"",
        "",
    ]), is_executable = True)
    files = ctx.runfiles(files = ctx.files.data + ctx.files.main)
    for dep in ctx.attr.data:
        files = files.merge(dep[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = out, runfiles = files)]

script_test = rule(
    implementation = _impl,
    attrs = {
        "main": attr.label(allow_single_file = True, mandatory = True),
        "argv": attr.string_list(doc = "paths are relative to the top of the tree"),
        "data": attr.label_list(allow_files = True),
    },
    test = True,
)
