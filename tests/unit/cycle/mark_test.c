/* SPDX-License-Identifier: MIT
 *
 * Marks: that they leave owners as they are, whatever slot id these have and whatever is done to them at the same moment; and random graphs of threads
 * whose ids need two bytes. Seed: OURO_TEST_SEED. */
#include "cycle/mark.h"

#include <ouro/ouro.h>

#include "cycle/presume.h"
#include "object/count.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"
#include "support/world.h"

static uint64_t seed;

static const uint32_t ids[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x101, 0x1ff, 0x4000, 0x7ffe};

static ouro_object header_of(uint32_t id)
{
    return (ouro_object){.ouro_private_type = 0x12345678, .ouro_private_owner = (uint16_t)id, .ouro_private_flags = OI_PUBLISHED | OI_HAS_WEAK,
                         .ouro_private_local = 0x9abcdef0, .ouro_private_shared = 0xfedcba98};
}

static uint64_t first_of(const ouro_object *o)
{
    return oi_load_relaxed((const oi_first_word *)o);
}

static void check_header(const ouro_object *o, uint32_t owner)
{
    ouro_object expected = header_of(owner);
    CHECK_EQ(oi_type_word(o), oi_type_word(&expected));
    CHECK_EQ(oi_owner(o), owner);
    CHECK_EQ(oi_flags(o), oi_flags(&expected));
    CHECK_EQ(oi_local(o), oi_local(&expected));
    CHECK_EQ(oi_shared(o), oi_shared(&expected));
}

static void test_every_id(void)
{
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        _Alignas(8) ouro_object o = header_of(ids[i]);
        oi_mark(&o, first_of(&o));
        check_header(&o, ids[i] | OI_CAND);
        oi_mark(&o, first_of(&o)); /* of an object that has a mark already */
        check_header(&o, ids[i] | OI_CAND);
        oi_unmark(&o);
        check_header(&o, ids[i]);
        oi_mark(&o, first_of(&o));
        CHECK_EQ(oi_touch(&o), ids[i]);
        check_header(&o, ids[i]);
    }
}

/* The bias ends between the look and the mark. */
static void test_bias_has_ended(void)
{
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        _Alignas(8) ouro_object o = header_of(ids[i]);
        uint64_t first = first_of(&o);
        oi_set_owner(&o, 0);
        oi_mark(&o, first);
        check_header(&o, OI_CAND);
    }
}

/* ---- at the same moment ---- */

enum { OBJECTS = 512 };
enum role { MARKER, TOUCHER, OWNER, ROLES };

static struct race {
    _Alignas(8) ouro_object o[OBJECTS];
    uint32_t id;
    pthread_barrier_t turn;
} race;

static void check_touched(uint32_t id)
{
    CHECK(id == race.id || id == 0); /* nobody's, once the bias has ended */
}

static void race_over(enum role role)
{
    pthread_barrier_wait(&race.turn);
    for (int i = 0; i < OBJECTS; i++) {
        ouro_object *o = &race.o[i];
        if (role == MARKER)
            oi_mark(o, first_of(o));
        else if (role == TOUCHER)
            check_touched(oi_touch(o));
        else if (i % 2)
            oi_set_owner(o, 0);
    }
    pthread_barrier_wait(&race.turn);
}

/* One thread looks and marks, one touches, and the owner ends every second bias. */
static void race_all(struct member *self)
{
    enum role role = self->index;
    for (int round = 0; round < SCALED(400); round++) {
        for (size_t k = 1; k < sizeof ids / sizeof *ids; k++) {
            if (role == MARKER) {
                race.id = ids[k];
                for (int i = 0; i < OBJECTS; i++)
                    race.o[i] = header_of(race.id);
            }
            race_over(role);
            for (int i = 0; i < OBJECTS && role == MARKER; i++) {
                uint32_t owner = oi_owner(&race.o[i]);
                CHECK_EQ(OI_ID(owner), i % 2 ? 0 : race.id);
                check_header(&race.o[i], owner);
            }
        }
    }
}

static void test_races(void)
{
    pthread_barrier_init(&race.turn, NULL, ROLES);
    team_run(ROLES, seed, race_all, NULL);
    pthread_barrier_destroy(&race.turn);
}

/* ---- threads with large ids ---- */

enum { HOLDERS = 255 }; /* the next id is 256: with its upper half it would lose all of it */

static struct step attached = STEP_INITIALIZER;
static pthread_mutex_t until_over = PTHREAD_MUTEX_INITIALIZER;

static void *hold_a_slot(void *unused)
{
    (void)unused;
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    ouro_blocking_begin();
    step_set(&attached, 1);
    pthread_mutex_lock(&until_over);
    pthread_mutex_unlock(&until_over);
    ouro_blocking_end();
    return NULL;
}

static void *check_own_id(void *unused)
{
    (void)unused;
    struct node *n = plain_new(0);
    CHECK_GT(oi_owner(&n->object), 0xff);
    ouro_release(n);
    return NULL;
}

static void test_large_ids(void)
{
    pthread_t holder[HOLDERS];
    pthread_mutex_lock(&until_over);
    for (int i = 0; i < HOLDERS; i++) {
        step_set(&attached, 0);
        holder[i] = thread_start(hold_a_slot, NULL, 64 << 10);
        REQUIRE(step_wait(&attached, 1));
    }
    thread_do(check_own_id, NULL, 0);
    CHECK(world_run(seed, (struct world_size){.graphs = SCALED(400), .repeats = 500}));
    world_print();
    pthread_mutex_unlock(&until_over);
    for (int i = 0; i < HOLDERS; i++)
        thread_join_parked(holder[i]);
}

int main(void)
{
    check_start("mark_test");
    seed = rng_seed();
    oi_presume_share = 1; /* now, for collections read them */
    oi_presume_after = 0;
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_every_id);
    FIXTURE_RUN(test_bias_has_ended);
    FIXTURE_RUN(test_races);
    FIXTURE_RUN(test_large_ids);
    return check_finish();
}
