/* SPDX-License-Identifier: MIT
 *
 * A C program with Lua and Python in it, which pass one graph around: each brings its own module, and all use one heap, because the modules' copies of
 * libouro have one soname and so one of them is loaded. Values go from one language to the other as tokens (<ouro/token.h>).
 *
 *     host PART.lua PART.py         the paths that the modules are found by come from the environment, as ever
 *
 * 1  A ring through the objects of three languages; whoever drops it last, and whoever collects.
 * 2  Threads of all languages at the same containers, beside a thread that collects. */
#include "interpreters.h" /* first: Python wants that */

#include <ouro/ouro.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static const char *lua_part;
static lua_State *lua; /* the main thread's */
static PyObject *python;

#define OK(call) CHECK((call) == OURO_OK)

#define LUA(function, ...) lua_do(lua, function, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
#define PYTHON(function, ...) python_do(python, function, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* Counted until there are as many twice: memory of dead ones may change hands meanwhile. */
static size_t live(void)
{
    ouro_mem_stats stats = {0};
    size_t again;
    do {
        again = stats.live_objects;
        ouro_mem_trim();
        ouro_mem_get_stats(&stats, sizeof stats);
    } while (stats.live_objects != again);
    return again;
}

/* All garbage is gone, also what the library's own threads have in hand, which is soon. */
static bool leaves(size_t before)
{
    for (int i = 0; i < 20000; i++) {
        if (i % 5000 == 0)
            ouro_gc_collect(2);
        if (live() == before)
            return true;
        usleep(1000);
    }
    return false;
}

/* ---- 1: a ring ---- */

/* C's part: Bob and Ann are told of a list that refers to both. */
static int64_t join(int64_t token)
{
    ouro_value ann, knows, bob, extra, name;
    OK(ouro_import(token, &ann));
    OK(ouro_intern_bytes("knows", 5, &name));
    OK(ouro_record_get(ann, name, &knows));
    OK(ouro_list_get(knows, 0, &bob));
    OK(ouro_list_from((ouro_value[]){ann, bob}, 2, &extra));
    OK(ouro_list_append(knows, extra));
    OK(ouro_export(ann, &token));
    ouro_value_release_all((ouro_value[]){ann, knows, bob, extra, name}, 5);
    return token;
}

enum collector { BY_C, BY_LUA, BY_PYTHON, COLLECTORS };

static void ring(enum collector collector)
{
    int64_t token = LUA("begin");
    token = PYTHON("extend", token);
    token = join(token);
    CHECK(LUA("follow", token) == 2);
    CHECK(LUA("held") == 1);
    CHECK(PYTHON("alive") == 1);
    /* Nobody outside holds any of it now. It goes as a whole, with Python's thing and Lua's table. */
    switch (collector) {
    case BY_LUA:
        CHECK(LUA("collect") >= 5);
        break;
    case BY_PYTHON:
        CHECK(PYTHON("collect") >= 5);
        break;
    default:
        CHECK(ouro_gc_collect(2) >= 5);
    }
    CHECK(LUA("held") == 0);
    CHECK(PYTHON("alive") == 0);
}

static void rings(void)
{
    static const char *const names[] = {"C", "Lua", "Python"};
    ring(BY_C);
    ouro_gc_collect(2);
    size_t before = live();
    for (int round = 0; round < 30; round++)
        ring((enum collector)(round % COLLECTORS));
    CHECK(leaves(before));
    printf("rings through three languages, collected by each: %s, %s, %s\n", names[0], names[1], names[2]);
}

/* ---- 2: threads ---- */

enum { OF_LUA = 3, OF_PYTHON = 3, THREADS = OF_LUA + OF_PYTHON, STEPS = 5000 };

static int64_t tokens[THREADS];
static _Atomic bool working = true;

static void *work_in_lua(void *arg)
{
    int64_t me = (int64_t)(intptr_t)arg;
    lua_State *L = lua_new(lua_part);
    CHECK(lua_do(L, "work", 2, (int64_t[]){tokens[me], me}) == STEPS);
    lua_close(L); /* others go on with what this state has left in the rings */
    return NULL;
}

static void *work_in_python(void *arg)
{
    int64_t me = (int64_t)(intptr_t)arg;
    CHECK(PYTHON("work", tokens[me], me) == STEPS);
    return NULL;
}

static void *collect(void *unused)
{
    (void)unused;
    while (atomic_load(&working))
        CHECK(ouro_gc_collect(2) >= 0);
    return NULL;
}

static ouro_value name_of(const char *text)
{
    ouro_value name;
    OK(ouro_intern_bytes(text, strlen(text), &name));
    return name;
}

static ouro_value shared_new(void)
{
    ouro_value fields[3] = {name_of("done"), name_of("rings"), name_of("steps")}, name = name_of("shared"), shared;
    ouro_value values[3] = {ouro_set_new(), ouro_list_new(), ouro_int_new(STEPS)};
    for (int i = 0; i < 7; i++) {
        ouro_value ring;
        OK(ouro_list_from((ouro_value[]){OURO_NIL, OURO_NIL, OURO_NIL}, 3, &ring));
        OK(ouro_list_append(values[1], ring));
        ouro_value_release(ring);
    }
    OK(ouro_record_from(name, fields, values, 3, &shared));
    ouro_value_release_all(values, 3);
    ouro_value_release_all(fields, 3);
    ouro_value_release(name);
    return shared;
}

static void threads(void)
{
    pthread_t ids[THREADS], collector;
    PYTHON("collect");
    ouro_gc_collect(2);
    size_t before = live();
    ouro_value shared = shared_new(), done, rings;
    for (int i = 0; i < THREADS; i++)
        OK(ouro_export(shared, &tokens[i]));
    CHECK(pthread_create(&collector, NULL, collect, NULL) == 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&ids[i], NULL, i < OF_LUA ? work_in_lua : work_in_python, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    atomic_store(&working, false);
    pthread_join(collector, NULL);

    size_t count = 0;
    OK(ouro_record_get_at(shared, 0, &done));
    OK(ouro_record_get_at(shared, 1, &rings));
    OK(ouro_set_length(done, &count));
    CHECK(count == (size_t)THREADS * STEPS);
    ouro_value_release_all((ouro_value[]){shared, done, rings}, 3);
    PYTHON("collect"); /* Python's own handles, first */
    CHECK(ouro_gc_collect(2) >= 0);
    CHECK(PYTHON("alive") == 0);
    CHECK(leaves(before));
    printf("%d threads of Lua, %d of Python, one that collects: %zu steps\n", OF_LUA, OF_PYTHON, count);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    lua_part = argv[1];
    lua = lua_new(lua_part);
    python = python_open(argv[2]);
    CHECK(libraries() == 1);
    rings();
    threads();

    lua_close(lua);
    PyGILState_Ensure();
    CHECK(Py_FinalizeEx() == 0);
    ouro_leak_report left;
    OK(ouro_shutdown(&left));
    CHECK(left.objects == 0);
    printf("left: %zu\n", (size_t)left.objects);
    return EXIT_SUCCESS;
}
