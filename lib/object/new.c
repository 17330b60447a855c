/* SPDX-License-Identifier: MIT
 *
 * Making objects: the fast path is a pop from the current page and a header; everything else is elsewhere. */
#include <string.h>

#include "mem/watch.h"
#include "object/act.h"
#include "object/history.h"
#include "object/inbox.h"
#include "object/misuse.h"
#include "port/tsan.h"

OI_TLS struct oi_act oi_act = {.self = &oi_nobody, .id = OI_TSLOT_NONE};

struct oi_local oi_nobody = {
    .tslot = {.id = OI_TSLOT_NONE},
    .pool = {.kept = {.key = OI_KEPT_NONE}, .current = {[0 ... OI_POOL_COUNT - 1] = &oi_pool_empty_page}, .fresh_limit = SIZE_MAX, .calm_bytes = SIZE_MAX},
};

#define ONE_STORE ((size_t)16)   /* up to here, one store does */
#define LARGE_BODY ((size_t)256) /* from here on, memset is quicker */

struct words {
    uint64_t first, counts;
    uint64_t body[];
};

/* Zeroes the body, a multiple of 8 bytes, and maybe the header, which is written afterwards: what is before the last 16 bytes, then these. With one
 * branch for objects of up to 32 bytes. */
static inline void clear_body(struct words *block, size_t bytes)
{
    typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
    if (OI_IS_TSAN) { /* the body alone: a collector may be looking at the header that was here before, whatever it finds (cycle/scope.h) */
        memset(block->body, 0, bytes);
        return;
    }
    for (size_t at = ONE_STORE; at < bytes; at += 16) {
        *(pair *)((char *)block + at) = (pair){0, 0};
        __asm__("" : "+r"(at)); /* keeps compilers from calling memset, which costs more than it does for what is small */
    }
    *(pair *)((char *)block + bytes) = (pair){0, 0};
}

static inline void *make(struct oi_local *self, void *block, uint64_t birth, size_t body)
{
    struct words *words = block;
    if (OI_UNLIKELY(body > LARGE_BODY))
        memset(words->body, 0, body);
    else
        clear_body(words, body);
    oi_store_relaxed(&words->counts, self->birth_counts);
    oi_tsan_release(block);
    /* Release: an unbiased thread's objects are born published, and the collector looks at them from now on. Costs nothing on x86. */
    oi_store_release(&words->first, birth | self->birth);
    return block;
}

/* Out of line, so that the fast path calls nothing. */
static OI_NOINLINE void *make_large(struct oi_local *self, void *block, const ouro_type *type)
{
    return make(self, block, type->ouro_private_birth, type->ouro_private_body);
}

/* Whoever looks for new objects of such a birth looks at the page: new ones that are tracked are on a page of the new ones. */
static bool is_found_on(const struct oi_page *page, uint64_t birth)
{
    bool untracked = oi_first_flags(birth) & OI_UNTRACKED;
    return page->kind == OI_PAGE_LEAF ? page->young_list == OI_YOUNG_LEAF
                                      : page->young_list == OI_YOUNG_NEW || (untracked && page->young_list == OI_YOUNG_AGED);
}

/* The block that one of the type has left (object/destroy.c), for another, which is private, too. */
static inline void *take_kept(struct oi_local *self, uint64_t birth)
{
    void *block = oi_pool_take_kept(&self->pool);
    OI_ASSERT(!self->pool.born_published && is_found_on(oi_page_of(block), birth));
    return block;
}

/* Makes an object of it: as make, but that a pair's body need not be cleared. */
static inline void *make_of_kept(struct oi_local *self, const ouro_type *type, uint64_t birth)
{
    struct words *words = take_kept(self, birth);
    if (birth & OI_ONLY_PAIR) { /* it was bare */
        OI_ASSERT(!words->body[0] && !words->body[1]);
    } else {
        size_t body = type->ouro_private_body;
        if (OI_UNLIKELY(body > LARGE_BODY))
            return make_large(self, words, type);
        clear_body(words, body);
    }
    oi_store_relaxed(&words->counts, 0);
    oi_tsan_release(words);
    oi_store_release(&words->first, birth | self->birth); /* as in make */
    return words;
}

/* Of an object on a page of its own. After its birth, if that publishes it: a collection may have looked at the page before. */
static void say_born(const struct oi_local *self, void *block)
{
    if (self->pool.born_published)
        oi_page_set_published(oi_page_of(block));
}

static unsigned index_for(size_t size, bool leaf)
{
    return size <= oi_watch_pooled_max ? oi_pool_index(size, leaf) : OI_POOL_NONE;
}

/* In a watched heap, of which this is the only way to a block. */
static OI_COLD void *watch_birth(void *block, const struct oi_type *type, size_t size)
{
    size = type->inner ? oi_page_block_size(oi_page_of(block)) : size; /* stores use all that they get */
    oi_watch_born(block, size);
    if (oi_history_on)
        oi_history_born(block, type, size);
    return block;
}

/* A block, by whatever it takes. NULL: no slot or no memory. Updates act->self. */
static OI_NOINLINE void *find_block(struct oi_act *act, const struct oi_type *type, size_t size)
{
    unsigned index = index_for(size, type->leaf);
    if (!oi_hold_slot(act))
        return NULL;
    oi_inbox_look(act);
    struct oi_pool *pool = &act->self->pool;
    oi_pool_free_kept(pool); /* others are what is needed: nothing may ever ask for it again */
    bool calm = oi_page_in_use() - pool->calm_from < pool->calm_bytes; /* below the one, the difference is huge */
    if (pool->fresh_blocks >= pool->fresh_limit || !calm || oi_page_is_over_soft_limit())
        oi_upcalls.pressure(act, false);
    for (int attempt = 0; attempt < 2; attempt++) {
        pool = &act->self->pool;
        void *block = index == OI_POOL_NONE ? oi_pool_alloc_large(pool, size, type->leaf) : oi_pool_alloc(pool, index);
        if (block)
            return OI_UNLIKELY(oi_watched) ? watch_birth(block, type, size) : block;
        if (!attempt)
            oi_upcalls.pressure(act, true);
    }
    return NULL;
}

static void *new_slow(ouro_type *descriptor)
{
    struct oi_act *act = &oi_act;
    struct oi_type *type = oi_type_register(descriptor, "ouro_new");
    if (!type)
        return NULL;
    if (oi_type_is_array(type)) {
        oi_misuse_type(OURO_MISUSE_WRONG_TYPE, "ouro_new", descriptor, "an array type needs ouro_new_array");
        return NULL;
    }
    /* Not the descriptor's pool, which the thread that registers the type may not have stored yet. */
    void *block = find_block(act, type, type->size);
    if (!block)
        return NULL;
    make(act->self, block, type->birth, type->size - sizeof(ouro_object));
    if (OI_UNLIKELY(type->size > oi_watch_pooled_max))
        say_born(act->self, block);
    return block;
}

/* What is kept has been another type's for long. */
static OI_NOINLINE void *new_for_stale(ouro_type *type)
{
    oi_pool_free_kept(&oi_act.self->pool);
    return ouro_new(type);
}

OI_HOT void *ouro_new(ouro_type *type)
{
    struct oi_local *self = oi_act.self;
    if (OI_UNLIKELY(!type))
        return new_slow(type);
    /* Relaxed: it is compared with the type word of what this thread has had an object of. A type that is new has none yet, and 0 is nobody's key. */
    uint64_t birth = oi_load_relaxed(&type->ouro_private_birth);
    if (self->pool.kept.key == (uint32_t)birth)
        return make_of_kept(self, type, birth);
    if (OI_UNLIKELY(self->pool.kept.key != OI_KEPT_NONE) && OI_UNLIKELY(oi_pool_is_stale(&self->pool)))
        return new_for_stale(type);
    /* Acquire: pairs with the registration [MO-types]. A type without a pool (new, large, array) has index OI_POOL_NONE,
     * whose page is always empty. */
    struct oi_page *page = self->pool.current[oi_load_acquire(&type->ouro_private_pool)];
    struct oi_block *block = page->free;
    if (OI_UNLIKELY(!block))
        return new_slow(type);
    page->free = block->next;
    ouro_private_add1(&page->used);
    size_t body = type->ouro_private_body;
    if (OI_UNLIKELY(body > ONE_STORE) && OI_UNLIKELY(body > LARGE_BODY)) /* two steps, of which most objects take the first: clear_body asks the same */
        return make_large(self, block, type);
    return make(self, block, type->ouro_private_birth, body);
}

/* A block for an array object; its content is undefined. */
static OI_ALWAYS_INLINE void *array_block(struct oi_act *act, const struct oi_type *type, size_t size)
{
    if (OI_LIKELY(size <= oi_watch_quick_max)) {
        unsigned index = oi_pool_index(size, type->leaf);
        if (act->self->pool.current[index]->free)
            return oi_pool_alloc(&act->self->pool, index);
    }
    return find_block(act, type, size);
}

/* Makes an array object of a block whose body is as it should be. */
static inline void *make_array(struct oi_act *act, void *block, const struct oi_type *type, size_t size, size_t length)
{
    struct words *words = block;
    oi_store_relaxed(&((ouro_array *)block)->length, length); /* before the type: whoever sees the one sees the other */
    oi_store_relaxed(&words->counts, act->self->birth_counts);
    oi_tsan_release(block);
    oi_store_release(&words->first, type->birth | act->self->birth); /* as in make */
    if (OI_UNLIKELY(size > oi_watch_pooled_max))
        say_born(act->self, block);
    return block;
}

void *ouro_new_array(ouro_type *descriptor, size_t length)
{
    struct oi_act *act = &oi_act;
    struct oi_type *type = oi_type_register(descriptor, "ouro_new_array");
    if (!type)
        return NULL;
    if (!oi_type_is_array(type)) {
        oi_misuse_type(OURO_MISUSE_WRONG_TYPE, "ouro_new_array", descriptor, "the type has neither array_slots nor array_bytes");
        return NULL;
    }
    size_t unit = type->slots_at ? sizeof(ouro_slot) : 1, head = type->slots_at ? type->slots_at : type->bytes_at;
    if (length > (SIZE_MAX / 2 - head) / unit)
        return NULL;
    size_t size = oi_round_up(head + length * unit, type->align < 8 ? 8 : type->align);
    if (size < type->size)
        size = type->size;
    void *block = array_block(act, type, size);
    if (!block)
        return NULL;
    struct words *words = block;
    if (size > LARGE_BODY)
        memset(words->body, 0, size - sizeof(ouro_object));
    else
        clear_body(words, size - sizeof(ouro_object));
    return make_array(act, block, type, size, length);
}

void *oi_new_room(ouro_type *descriptor, size_t size)
{
    struct oi_act *act = &oi_act;
    struct oi_type *type = oi_type_register(descriptor, "ouro_new_array");
    if (!type)
        return NULL;
    size = oi_round_up(size < type->size ? type->size : size, 8);
    void *block = array_block(act, type, size);
    if (!block)
        return NULL;
    memset(((struct words *)block)->body, 0, type->size - sizeof(ouro_object));
    return make_array(act, block, type, size, 0);
}
