# SPDX-License-Identifier: MIT
#
# Targets: ouro::ouro (shared), ouro::ouro_static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)

get_filename_component(_ouro_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET ouro::ouro)
    add_library(ouro::ouro SHARED IMPORTED)
    set_target_properties(ouro::ouro PROPERTIES
        IMPORTED_LOCATION "${_ouro_prefix}/lib/libouro.so.0"
        IMPORTED_SONAME "libouro.so.0"
        INTERFACE_INCLUDE_DIRECTORIES "${_ouro_prefix}/include")
endif()

if(NOT TARGET ouro::ouro_static)
    add_library(ouro::ouro_static STATIC IMPORTED)
    set_target_properties(ouro::ouro_static PROPERTIES
        IMPORTED_LOCATION "${_ouro_prefix}/lib/libouro.a"
        INTERFACE_INCLUDE_DIRECTORIES "${_ouro_prefix}/include"
        INTERFACE_LINK_LIBRARIES "urcu-cds;urcu-bp;urcu-common;Threads::Threads")
endif()

unset(_ouro_prefix)
