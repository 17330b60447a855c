/* SPDX-License-Identifier: MIT
 *
 * Hosts' objects that are disposed of while another thread, which came by a weak reference, asks for something: after each instruction of that in
 * turn. What is to be seen from outside is in api/value_host_test. */
#include "support/single_step.h"
#include "support/values.h"
#include "value/host.h"

static ouro_value value;
static long when;

static ouro_status hash(uint64_t handle, uint64_t *hash)
{
    *hash = handle;
    return OURO_OK;
}

static ouro_status is_equal(uint64_t a, uint64_t b, bool *equal)
{
    *equal = a == b;
    return OURO_OK;
}

static const ouro_host_class class = {.size = sizeof class, .name = "x", .hash = hash, .equal = is_equal};

static bool dispose(long n)
{
    if (n != when)
        return true;
    oi_type_of(ouro_value_object(value))->finalize(ouro_value_object(value));
    return false;
}

static void ask_hash(void)
{
    uint64_t h;
    CHECK_OK(ouro_hash(value, &h));
}

static void ask_equal(void)
{
    ouro_value other;
    bool equal;
    CHECK_OK(ouro_host_new(&class, 7, 0, &other));
    CHECK_OK(ouro_key_equal(value, other, &equal));
    ouro_value_release(other);
}

static void ask_repr(void)
{
    ouro_value string;
    CHECK_OK(ouro_repr(value, &string));
    ouro_value_release(string);
}

static void ask_dict(void)
{
    ouro_value dict = ouro_dict_new();
    CHECK_OK(ouro_dict_set(dict, value, INT(1)));
    ouro_value_release(dict);
}

/* When asked has been done before, nothing of it takes memory or a lock. */
static void test_disposed_meanwhile(void)
{
    void (*const asks[])(void) = {ask_hash, ask_equal, ask_repr, ask_dict};
    if (!single_step_supported())
        return;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        bool done = false;
        for (when = 1; !done && when < 20000; when += when < 200 ? 1 : 11) { /* traps take their time */
            CHECK_OK(ouro_host_new(&class, 7, 0, &value));
            asks[i]();
            single_step_begin(dispose);
            asks[i]();
            single_step_end();
            done = ouro_host_class_of(value) != NULL;
            ouro_value_release(value);
        }
        CHECK(done);
    }
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("host_test");
    fixture_start();
    FIXTURE_RUN(test_disposed_meanwhile);
    return check_finish();
}
