/* SPDX-License-Identifier: MIT
 *
 * A cycle, and how it is collected. What stands behind an arrow is what the line prints. */
#include <stdio.h>

#include <ouro/ouro.h>

struct person {
    ouro_object object;
    ouro_slot friend;
    const char *name;
};

/* Once for each object, before it goes; what it refers to can still be used. */
static void bye(void *object)
{
    struct person *person = object;
    printf("bye, %s\n", person->name);
}
static ouro_type person_type = OURO_TYPE(struct person, .name = "person", .slots = OURO_SLOTS(struct person, friend), .finalize = bye);

static struct person *person_new(const char *name)
{
    struct person *person = ouro_new(&person_type);
    if (person)
        person->name = name;
    return person;
}

int main(void)
{
    ouro_gc_disable(); /* so that nothing happens by itself meanwhile */
    struct person *ann = person_new("Ann"), *bob = person_new("Bob");
    if (!ann || !bob)
        return 1;
    ouro_set(ann, &ann->friend, bob);
    ouro_set(bob, &bob->friend, ann);
    ouro_weak *weak = ouro_weak_new(ann, NULL, NULL);
    if (!weak)
        return 1;

    ouro_release(ann);
    ouro_release(bob);
    struct person *there = ouro_weak_get(weak);
    if (!there)
        return 1;
    printf("nobody has %s, but %s\n", there->name, bob->name); /* --> nobody has Ann, but Bob */
    ouro_release(there);

    long found = ouro_gc_collect(0);                           /* --> bye, Ann */
                                                               /* --> bye, Bob */
    printf("unreachable: %ld\n", found);                       /* --> unreachable: 2 */
    printf("%s\n", ouro_weak_get(weak) ? "alive" : "dead");    /* --> dead */

    /* The same between threads: what is shared is found beside them all, and finalized on a thread of the library. */
    ann = person_new("Ann again"), bob = person_new("Bob again");
    if (!ann || !bob)
        return 1;
    ouro_set(ann, &ann->friend, bob);
    ouro_give(bob, &bob->friend, ann);
    ouro_share(bob);
    ouro_release(bob);
    printf("private: %ld\n", ouro_gc_collect(0));              /* --> private: 0 */
    found = ouro_gc_collect(2);                                /* --> bye, Ann again */
                                                               /* --> bye, Bob again */
    printf("shared: %ld\n", found);                            /* --> shared: 2 */
    ouro_release(weak);
    return 0;
}
