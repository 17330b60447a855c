rockspec_format = "3.0"
package = "ouro"
version = "0.1.0-1"
source = {
   url = "git+https://example.org/ouro.git",
   tag = "v0.1.0",
}
description = {
   summary = "Lists, dicts, sets and records that threads share, with reference counts and a concurrent collector of cycles",
   license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.1, < 5.5" }
-- liburcu is not in external_dependencies: luarocks looks for headers in /usr/include only, and Debian's are below
-- /usr/include/<multiarch>. The Makefile asks pkg-config.
build = {
   type = "make",
   makefile = "bindings/lua/Makefile",
   build_variables = {
      CFLAGS = "$(CFLAGS)",
      LIBFLAG = "$(LIBFLAG)",
      LUA_INCDIR = "$(LUA_INCDIR)",
   },
   install_variables = {
      INST_LIBDIR = "$(LIBDIR)",
      INST_LUADIR = "$(LUADIR)",
   },
}
