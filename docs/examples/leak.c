/* SPDX-License-Identifier: MIT
 *
 * Finding a leak: what grows, who holds it, and why. What stands behind an arrow is what the line prints. */
#include <stdio.h>
#include <string.h>

#include <ouro/ouro.h>

struct session {
    ouro_object object;
    ouro_slot self; /* a cycle, which is no leak */
    int id;
};
static ouro_type session_type = OURO_TYPE(struct session, .name = "session", .slots = OURO_SLOTS(struct session, self));

struct listener {
    ouro_object object;
    ouro_slot session, next;
};
static ouro_type listener_type = OURO_TYPE(struct listener, .name = "listener", .slots = OURO_SLOTS(struct listener, session, next));

struct server {
    ouro_object object;
    ouro_slot listeners;
};
static ouro_type server_type = OURO_TYPE(struct server, .name = "server", .slots = OURO_SLOTS(struct server, listeners));

/* The mistake: whoever is not polite stays among the listeners. */
static bool visit(struct server *server, int id, bool polite)
{
    struct session *session = ouro_new(&session_type);
    struct listener *listener = ouro_new(&listener_type);
    bool made = session && listener;
    if (made) {
        session->id = id;
        ouro_set(session, &session->self, session);
        ouro_set(listener, &listener->session, session);
        ouro_give(listener, &listener->next, ouro_get(server, &server->listeners));
        ouro_set(server, &server->listeners, listener);
        if (polite)
            ouro_give(server, &server->listeners, ouro_get(listener, &listener->next));
    }
    ouro_release(session);
    ouro_release(listener);
    return made;
}

/* How many objects of a type there are, and one of them. */
struct census {
    const ouro_type *type;
    size_t count;
    void *one; /* held */
};

static int look(void *object, void *arg)
{
    struct census *census = arg;
    if (ouro_type_of(object) == census->type) {
        census->count++;
        if (!census->one)
            census->one = ouro_retain(object);
    }
    return 0;
}

static struct census census_of(const ouro_type *type)
{
    struct census census = {.type = type};
    ouro_gc_collect(2); /* what is left is no garbage */
    ouro_gc_visit_objects(-1, look, &census);
    return census;
}

static int show(void *object, void *arg)
{
    if (object != arg) /* that it refers to itself is no reason */
        printf("held by a %s\n", ouro_type_of(object)->name);
    return 0;
}

int main(void)
{
    struct server *server = ouro_new(&server_type);
    if (!server)
        return 1;
    for (int id = 0; id < 100; id++)
        if (!visit(server, id, id % 2 == 0))
            return 1;

    struct census left = census_of(&session_type);
    printf("sessions: %zu\n", left.count);                /* --> sessions: 50 */
    ouro_gc_visit_referrers(left.one, show, left.one);    /* --> held by a listener */
    ouro_release(left.one);

    left = census_of(&listener_type);
    printf("listeners: %zu\n", left.count);               /* --> listeners: 50 */
    ouro_release(left.one);

    ouro_set(server, &server->listeners, NULL);           /* mended */
    left = census_of(&session_type);
    printf("sessions: %zu\n", left.count);                /* --> sessions: 0 */

    /* What is still there at the end is reported by type; here, the server. */
    ouro_leak_report report;
    if (ouro_shutdown(&report) != OURO_OK)
        return 1;
    printf("left: %zu %s\n", (size_t)report.objects, report.types[0].name); /* --> left: 1 server */
    ouro_release(server);
    return 0;
}
