/* SPDX-License-Identifier: MIT
 *
 * Lua and Python for a program that has them in it: functions of numbers, in a file each, called by their names. What goes wrong ends the program.
 *
 * A header of functions, since both a C and a Go program include it. */
#ifndef TOGETHER_INTERPRETERS_H
#define TOGETHER_INTERPRETERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <inttypes.h>
#include <lauxlib.h>
#include <link.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                                                       \
    do {                                                                                                                                       \
        if (!(condition)) {                                                                                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                                            \
            exit(EXIT_FAILURE);                                                                                                                \
        }                                                                                                                                      \
    } while (0)

/* ---- Lua: a state for one thread at a time ---- */

static inline lua_State *lua_new(const char *path)
{
    lua_State *L = luaL_newstate();
    CHECK(L);
    luaL_openlibs(L);
    if (luaL_dofile(L, path)) {
        fprintf(stderr, "Lua: %s\n", lua_tostring(L, -1));
        exit(EXIT_FAILURE);
    }
    return L;
}

static inline int64_t lua_do(lua_State *L, const char *function, int count, const int64_t *arguments)
{
    lua_getglobal(L, function);
    for (int i = 0; i < count; i++)
        lua_pushinteger(L, arguments[i]);
    if (lua_pcall(L, count, 1, 0)) {
        fprintf(stderr, "Lua: %s: %s\n", function, lua_tostring(L, -1));
        exit(EXIT_FAILURE);
    }
    int64_t result = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return result;
}

/* ---- Python: on any thread ---- */

static inline PyObject *python_open(const char *path)
{
    Py_Initialize();
    FILE *file = fopen(path, "r");
    CHECK(file);
    PyObject *part = PyImport_AddModule("part");
    CHECK(part);
    PyObject *names = PyModule_GetDict(part);
    CHECK(PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) == 0);
    PyObject *done = PyRun_FileEx(file, path, Py_file_input, names, names, 1);
    if (!done) {
        PyErr_Print();
        exit(EXIT_FAILURE);
    }
    Py_DECREF(done);
    PyEval_SaveThread(); /* whoever calls takes the GIL */
    return part;
}

static inline int64_t python_do(PyObject *part, const char *function, int count, const int64_t *arguments)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *callable = PyObject_GetAttrString(part, function), *tuple = PyTuple_New(count);
    CHECK(callable && tuple);
    for (int i = 0; i < count; i++)
        PyTuple_SET_ITEM(tuple, i, PyLong_FromLongLong(arguments[i]));
    PyObject *result = PyObject_CallObject(callable, tuple);
    if (!result) {
        PyErr_Print();
        exit(EXIT_FAILURE);
    }
    int64_t number = PyLong_AsLongLong(result);
    Py_DECREF(result);
    Py_DECREF(tuple);
    Py_DECREF(callable);
    PyGILState_Release(gil);
    return number;
}

/* ---- How many libraries the process has loaded: one, though each module has brought its own ---- */

static inline int count_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *name = strrchr(info->dlpi_name, '/');
    (void)size;
    *(int *)arg += name && !strcmp(name, "/libouro.so.0");
    return 0;
}

static inline int libraries(void)
{
    int count = 0;
    dl_iterate_phdr(count_library, &count);
    return count;
}

#endif
