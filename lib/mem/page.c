/* SPDX-License-Identifier: MIT
 *
 * The page table: which units of which segment are whose. One lock, held for a few dozen instructions; system calls are made
 * without it, while the units concerned belong to nobody. */
#include "mem/page.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mem/size_class.h"
#include "mem/watch.h"
#include "port/checker.h"
#include "port/os.h"
#include "port/tsan.h"

LIST_HEAD(segment_list, oi_segment);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the page lock: docs/design/lock-order.md */
static pthread_mutex_t purge_lock = PTHREAD_MUTEX_INITIALIZER; /* one purge at a time; taken before `lock` */
static struct segment_list segments, roomy, unused_whole; /* this and the next: under the lock */
static struct oi_page_totals totals; /* in_use is read without the lock, too */
static bool over_soft_limit; /* atomic; follows totals */
static size_t published_bytes; /* atomic */

void (*oi_page_on_dirty)(void);
void (*oi_page_on_growth)(bool may_rest);
size_t oi_page_growth_mark = SIZE_MAX;
void (*oi_page_on_shrinking)(void);
size_t oi_page_shrink_mark;

#define ALL_UNITS (~(uint64_t)1) /* unit 0 holds the headers */
#define HUGE_SPARE 8 /* a huge block may be followed by one in so many of its bytes that nobody uses */

static bool from_malloc, singles; /* written once, at start */

void oi_page_set_source(bool malloced, bool single)
{
    from_malloc = malloced || single;
    singles = single;
}

/* A single segment ends its header with the one page that it has. */
#define SINGLE_HEADER offsetof(struct oi_segment, pages[1])

/* Memory whose beginning, as far as a header goes, is zero. */
static struct oi_segment *take_memory(size_t size, bool single)
{
    void *at;
    if (!from_malloc) {
        if ((at = oi_os_map(size, OI_SEGMENT)))
            oi_checker_add_root(at, size);
        return at;
    }
    if (posix_memalign(&at, OI_SEGMENT, size) != 0)
        return NULL;
    memset(at, 0, single ? SINGLE_HEADER : sizeof(struct oi_segment));
    oi_checker_divided(at, size, sizeof ((struct oi_segment *)at)->link.le_next); /* not by way of page->base */
    return at;
}

static void give_memory_back(struct oi_segment *segment, size_t size)
{
    if (oi_watched)
        oi_checker_open(segment, size); /* whoever has these addresses next */
    if (from_malloc) {
        free(segment);
        return;
    }
    oi_checker_remove_root(segment, size);
    oi_os_unmap(segment, size);
}

#define ROOTS_SIZE (OI_ROOTS_MAX * sizeof(struct oi_root))
#define SYSTEM_PAGE ((size_t)4096) /* at least: no more is asked for, so that the roots of neighbours become one mapping */

/* Single segments share these: their header has no room, and nobody wants to know. */
static uint8_t no_hints[OI_SEGMENT >> OI_HINT_SHIFT];

static uint64_t unit_run(unsigned first, unsigned n)
{
    return (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) << first;
}

/* The first run of n set bits, or 64. */
static unsigned find_run(uint64_t bits, unsigned n)
{
    /* After k rounds of halving, bit i stays set iff bits i .. i + length - 1 are. */
    for (unsigned length = 1; length < n && bits;) {
        unsigned step = n - length < length ? n - length : length;
        bits &= bits >> step;
        length += step;
    }
    return bits ? (unsigned)__builtin_ctzl(bits) : 64;
}

static bool within_hard_limit(size_t more)
{
    return !totals.hard_limit || (totals.in_use + more >= more && totals.in_use + more <= totals.hard_limit);
}

/* A new segment of size bytes whose units are free; the lock is held by the caller and let go for the system call. */
static struct oi_segment *new_segment(size_t size, bool single)
{
    pthread_mutex_unlock(&lock);
    struct oi_segment *segment = take_memory(size, single);
    struct oi_root *roots = segment && !single ? oi_os_map(ROOTS_SIZE, SYSTEM_PAGE) : NULL;
    if (segment && !single && !roots) {
        give_memory_back(segment, size);
        segment = NULL;
    }
    pthread_mutex_lock(&lock);
    if (!segment)
        return NULL;
    segment->roots = roots;
    segment->hints = single ? no_hints : segment->own_hints;
    segment->size = size;
    segment->single = single;
    segment->free_units = ALL_UNITS;
    oi_tsan_release(segment); /* to who comes by an address: oi_scope_find */
    LIST_INSERT_HEAD(&segments, segment, link);
    LIST_INSERT_HEAD(&roomy, segment, roomy);
    totals.reserved += size;
    return segment;
}

static void set_in_use(size_t bytes)
{
    oi_store_relaxed(&totals.in_use, bytes);
    oi_store_relaxed(&over_soft_limit, totals.soft_limit && bytes > totals.soft_limit);
}

/* Of a segment for one block: its whole size, less the header. */
static bool is_whole(const struct oi_segment *segment)
{
    return segment->size != OI_SEGMENT || segment->single;
}

static size_t whole_bytes(const struct oi_segment *segment)
{
    return segment->size - (segment->single ? SINGLE_HEADER : OI_UNIT);
}

/* Bytes that giving these units back would save. */
static size_t unit_bytes(const struct oi_segment *segment, uint64_t units)
{
    if (is_whole(segment))
        return units ? whole_bytes(segment) : 0;
    return (size_t)__builtin_popcountl(units) * OI_UNIT;
}

/* The units are in use. */
static void take_run(struct oi_segment *segment, uint64_t run, size_t bytes)
{
    segment->free_units &= ~run;
    if (!segment->free_units)
        LIST_REMOVE(segment, roomy);
    set_in_use(totals.in_use + bytes);
    totals.committed += bytes - unit_bytes(segment, segment->dirty_units & run);
    segment->dirty_units &= ~run;
    segment->aged_units &= ~run;
}

static struct oi_page *take_units(struct oi_segment *segment, unsigned first, unsigned n, size_t bytes)
{
    struct oi_page *page = &segment->pages[first];
    bool listed = n == 1 && page->listed && segment->dirty_units & unit_run(first, n); /* else it is gone, or not worth the trouble */
    take_run(segment, unit_run(first, n), bytes);
    for (unsigned i = 0; i < n; i++) {
        segment->pages[first + i].own = page;
        segment->pages[first + i].listed = false; /* also of those that this page's blocks are going to be written over */
    }
    page->listed = listed;
    return page;
}

static struct oi_page *find_units(unsigned n)
{
    size_t bytes = n * OI_UNIT;
    struct oi_segment *segment;
    if (!within_hard_limit(bytes))
        return NULL;
    LIST_FOREACH(segment, &roomy, roomy) {
        unsigned first = find_run(segment->free_units, n);
        if (first < 64)
            return take_units(segment, first, n, bytes);
    }
    segment = new_segment(OI_SEGMENT, false);
    /* The lock was let go: other threads may have taken what was left. Then the segment is purged as any idle one. */
    return segment && within_hard_limit(bytes) ? take_units(segment, 1, n, bytes) : NULL;
}

/* One that is not in use and fits, with little to spare; it is not yet given back, so its memory is still there. NULL: none. */
static struct oi_segment *find_unused_huge(size_t bytes)
{
    struct oi_segment *segment;
    LIST_FOREACH(segment, &unused_whole, roomy) {
        size_t room = whole_bytes(segment);
        if (!segment->single && room >= bytes && room - bytes <= bytes / HUGE_SPARE && within_hard_limit(room))
            return segment;
    }
    return NULL;
}

/* A new segment for one block; NULL: none. */
static struct oi_segment *new_whole_segment(size_t size, bool single)
{
    struct oi_segment *segment = new_segment(size, single);
    if (!segment || within_hard_limit(whole_bytes(segment)))
        return segment;
    /* The lock was let go: other threads may have come closer to the limit. Then it is purged as any idle one, or used when there is room for
     * another huge block. */
    LIST_REMOVE(segment, roomy);
    LIST_INSERT_HEAD(&unused_whole, segment, roomy);
    return NULL;
}

/* A segment for one block that no ordinary segment can hold. */
static struct oi_page *find_huge(size_t size)
{
    size_t bytes = oi_round_up(size, OI_UNIT);
    if (bytes < size || bytes + OI_UNIT < bytes || bytes / 8 > UINT32_MAX || !within_hard_limit(bytes))
        return NULL;
    struct oi_segment *segment = find_unused_huge(bytes);
    if (!segment)
        segment = new_whole_segment(OI_UNIT + bytes, false);
    if (!segment)
        return NULL;
    return take_units(segment, 1, 63, whole_bytes(segment));
}

/* A segment for one block, of whatever size. */
static struct oi_page *find_single(size_t size)
{
    size_t bytes = oi_round_up(size, 8);
    if (bytes < size || bytes + SINGLE_HEADER < bytes || bytes / 8 > UINT32_MAX || !within_hard_limit(bytes))
        return NULL;
    struct oi_segment *segment = new_whole_segment(SINGLE_HEADER + bytes, true);
    if (!segment)
        return NULL;
    take_run(segment, ALL_UNITS, whole_bytes(segment));
    return segment->pages[0].own = &segment->pages[0];
}

/* Pages are as large as makes at least 8 blocks of the class. */
static unsigned units_for(size_t size)
{
    return size <= OI_PAGE_ONE_UNIT_MAX ? 1 : size <= OI_CLASS_MAX ? 8 : (unsigned)(oi_round_up(size, OI_UNIT) / OI_UNIT);
}

struct oi_page *oi_page_acquire(struct oi_pool *pool, enum oi_page_kind kind, unsigned index, size_t size, size_t max_listed)
{
    bool single = singles && kind != OI_PAGE_RAW, huge = !single && size > OI_SEGMENT - OI_UNIT;
    pthread_mutex_lock(&lock);
    struct oi_page *page = single ? find_single(size) : huge ? find_huge(size) : find_units(units_for(size));
    if (page) {
        size_t bytes = single || huge || size > OI_CLASS_MAX ? size : units_for(size) * OI_UNIT;
        if (!page->listed || page->index != index || page->carved > max_listed) { /* another index: another size, or kind */
            page->free = NULL;
            oi_store_relaxed(&page->carved, 0);
        }
        page->listed = false;
        oi_store_relaxed(&page->used, 0);
        page->block_units = (uint32_t)(oi_round_up(size, 8) / 8);
        page->capacity = (uint32_t)(bytes / oi_page_block_size(page));
        if (!page->capacity)
            page->capacity = 1;
        page->gray = 0;
        page->kind = (uint8_t)kind;
        page->index = (uint8_t)index;
        page->state = OI_PAGE_CURRENT;
        page->base = (char *)oi_segment_of(page) + (single ? SINGLE_HEADER : (size_t)(page - oi_segment_of(page)->pages) * OI_UNIT);
        if (oi_watched)
            oi_checker_open(page->base, page->capacity * oi_page_block_size(page));
        page->gray_next = NULL;
        page->young_list = 0;
        page->used_published = 0;
        page->pins = 0;
        page->released = false;
        oi_store_relaxed(&page->recent, 0);
        oi_store_relaxed(&page->bearing, false);
        oi_store_relaxed(&page->remote, 0);
        oi_store_relaxed(&page->limbo, 0);
        oi_store_release(&page->pool, pool); /* last: whoever sees a page in use sees what it is */
    }
    bool grown = page && totals.in_use >= oi_load_relaxed(&oi_page_growth_mark);
    pthread_mutex_unlock(&lock);
    if (grown && oi_page_on_growth)
        oi_page_on_growth(kind != OI_PAGE_RAW); /* that is for who drops references, too */
    return page;
}

/* Units of a page in use. */
static uint64_t units_of(const struct oi_page *page)
{
    const struct oi_segment *segment = oi_segment_of(page);
    return is_whole(segment) ? ALL_UNITS : unit_run((unsigned)(page - segment->pages), units_for(oi_page_block_size(page)));
}

/* The pages that a segment may have: from first_page to its end_page. */
static unsigned first_page(const struct oi_segment *segment)
{
    return segment->single ? 0 : 1;
}

static unsigned end_page(const struct oi_segment *segment)
{
    return segment->single ? 1 : OI_SEGMENT_UNITS;
}

void oi_page_turns_recent(struct oi_page *page)
{
    /* Of several threads one counts the page. Nothing is ordered by it (acquire: the weakest exchange there is). */
    if (!oi_load_relaxed(&page->published) && !oi_exchange_acquire(&page->published, true))
        oi_fetch_add_relaxed(&published_bytes, unit_bytes(oi_segment_of(page), units_of(page)));
    oi_store_relaxed(&page->recent, OI_RECENT);
}

size_t oi_page_published_bytes(void)
{
    return oi_load_relaxed(&published_bytes);
}

/* Nobody uses a block of the page any more; the lock is held. */
static void release(struct oi_page *page)
{
    struct oi_segment *segment = oi_segment_of(page);
    uint64_t units = units_of(page);
    page->state = OI_PAGE_FREE;
    if (oi_load_relaxed(&page->published))
        oi_fetch_sub_relaxed(&published_bytes, unit_bytes(segment, units));
    oi_store_relaxed(&page->published, false);
    if (is_whole(segment))
        LIST_INSERT_HEAD(&unused_whole, segment, roomy);
    else if (!segment->free_units)
        LIST_INSERT_HEAD(&roomy, segment, roomy);
    if (!segment->dirty_units)
        segment->looked_at = oi_os_now_ns();
    segment->free_units |= units;
    segment->dirty_units |= units;
    set_in_use(totals.in_use - unit_bytes(segment, units));
}

/* dirty: there is something for a purge. */
static void tell_released(bool dirty)
{
    if (oi_page_in_use() < oi_load_relaxed(&oi_page_shrink_mark) && oi_page_on_shrinking)
        oi_page_on_shrinking();
    if (dirty && oi_page_on_dirty)
        oi_page_on_dirty();
}

/* Gives a segment none of whose units is in use back; the lock is held, and let go for the system call. */
static void unmap_segment(struct oi_segment *segment)
{
    LIST_REMOVE(segment, roomy);
    LIST_REMOVE(segment, link);
    totals.reserved -= segment->size;
    pthread_mutex_unlock(&lock);
    if (segment->roots)
        oi_os_unmap(segment->roots, ROOTS_SIZE);
    give_memory_back(segment, segment->size);
    pthread_mutex_lock(&lock);
}

bool oi_page_release_from(struct oi_page *page, bool (*leave)(struct oi_page *page))
{
    struct oi_segment *segment = oi_segment_of(page);
    /* A single segment goes back at once, if no purge is under way: malloc's tools want to know. */
    bool purging = segment->single && pthread_mutex_trylock(&purge_lock) == 0;
    pthread_mutex_lock(&lock);
    bool left = leave(page), now = left && !page->pins, gone = now && purging;
    if (left)
        oi_store_relaxed(&page->pool, NULL);
    if (now)
        release(page);
    else if (left)
        page->released = true; /* oi_page_unpin does the rest */
    if (gone) {
        totals.committed -= whole_bytes(segment);
        unmap_segment(segment);
    }
    pthread_mutex_unlock(&lock);
    if (purging)
        pthread_mutex_unlock(&purge_lock);
    if (now)
        tell_released(!gone);
    return left;
}

static bool has_left(struct oi_page *page)
{
    (void)page;
    return true;
}

void oi_page_release(struct oi_page *page)
{
    oi_page_release_from(page, has_left);
}

void oi_page_release_listed(struct oi_page *page)
{
    OI_ASSERT(!page->used && !oi_load_relaxed(&page->remote));
    OI_ASSERT(!oi_watched); /* where nobody may read what is free, and where blocks are freed one by one */
    page->listed = true;
    oi_page_release(page);
}

enum wanted { ALL, PUBLISHED, RECENT };

static bool is_wanted(const struct oi_page *page, enum wanted wanted)
{
    return wanted == ALL || (wanted == RECENT ? oi_page_is_recent(page) : oi_load_relaxed(&page->published));
}

/* What is published after this is for the next collection. */
static void make_old(struct oi_page *page, enum wanted wanted)
{
    if (wanted == RECENT) {
        oi_store_relaxed(&page->recent, OI_RECENT_OLD);
        return;
    }
    /* Acquire: who stops bearing has made it recent before; an exchange, so that this is seen or comes later. */
    bool bearing = oi_load_acquire(&page->bearing);
    page->was_recent = oi_exchange_acquire(&page->recent, 0) || bearing;
}

/* Pins the wanted pages of one segment; the lock is held. */
static void pin_segment(struct oi_segment *segment, struct oi_page **pages, uint32_t *count, uint32_t max, enum wanted wanted)
{
    for (unsigned i = first_page(segment); i < end_page(segment); i++) {
        struct oi_page *page = &segment->pages[i];
        if (page->own != page || !page->pool || page->kind != OI_PAGE_TRACED || !is_wanted(page, wanted))
            continue;
        if (*count == max) {
            if (wanted == PUBLISHED)
                oi_page_set_published(page); /* its turn is in the next collection of generation 1; of the recent ones it stays so */
            continue;
        }
        if (wanted != ALL)
            make_old(page, wanted);
        page->pins++;
        pages[(*count)++] = page;
    }
}

static void pin(struct oi_page **pages, uint32_t *count, uint32_t max, enum wanted wanted)
{
    struct oi_segment *segment;
    pthread_mutex_lock(&purge_lock); /* so that segments stay on the list while the other lock is let go between them */
    pthread_mutex_lock(&lock);
    LIST_FOREACH(segment, &segments, link) {
        pin_segment(segment, pages, count, max, wanted);
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&purge_lock);
}

void oi_page_pin(struct oi_page **pages, uint32_t *count, uint32_t max, bool recent)
{
    pin(pages, count, max, recent ? RECENT : PUBLISHED);
}

void oi_page_pin_all(struct oi_page **pages, uint32_t *count, uint32_t max)
{
    pin(pages, count, max, ALL);
}

void oi_page_unpin(struct oi_page **pages, uint32_t *count)
{
    bool dirty = false;
    while (*count) {
        pthread_mutex_lock(&lock);
        struct oi_page *page = pages[--*count];
        page->pins--;
        if (page->released && !page->pins) {
            page->released = false;
            release(page);
            dirty = true;
        }
        pthread_mutex_unlock(&lock);
    }
    if (dirty)
        tell_released(true);
}

/* Gives units that are free back; they are nobody's while the lock is let go for the system calls. */
static void purge_units(struct oi_segment *segment, uint64_t purging)
{
    segment->dirty_units &= ~purging;
    segment->aged_units &= ~purging;
    segment->free_units &= ~purging;
    if (!segment->free_units)
        LIST_REMOVE(segment, roomy);
    pthread_mutex_unlock(&lock);
    for (uint64_t left = purging; left;) {
        unsigned first = (unsigned)__builtin_ctzl(left);
        uint64_t rest = ~(left >> first);
        unsigned n = rest ? (unsigned)__builtin_ctzl(rest) : 64 - first;
        oi_os_purge((char *)segment + first * OI_UNIT, n * OI_UNIT);
        left &= ~unit_run(first, n);
    }
    pthread_mutex_lock(&lock);
    if (!segment->free_units)
        LIST_INSERT_HEAD(&roomy, segment, roomy);
    segment->free_units |= purging;
}

/* Purges what is old enough. Returns the bytes. */
static size_t purge_segment(struct oi_segment *segment, bool all)
{
    uint64_t old = all ? segment->dirty_units : segment->dirty_units & segment->aged_units;
    bool unused = segment->free_units == ALL_UNITS && old == segment->dirty_units;
    size_t bytes = unit_bytes(segment, old);
    totals.committed -= bytes;
    segment->aged_units = segment->dirty_units;
    segment->looked_at = oi_os_now_ns();
    if (unused)
        unmap_segment(segment);
    else if (old)
        purge_units(segment, old);
    return bytes;
}

size_t oi_page_purge(uint64_t min_age_ns, uint64_t *next_ns)
{
    size_t bytes = 0;
    uint64_t now = oi_os_now_ns();
    pthread_mutex_lock(&purge_lock);
    pthread_mutex_lock(&lock);
    *next_ns = UINT64_MAX;
    for (struct oi_segment *segment = LIST_FIRST(&segments), *next; segment; segment = next) {
        /* Mapped, then not needed; or with something dirty. */
        bool idle = segment->free_units == ALL_UNITS && !segment->dirty_units;
        uint64_t age = now - segment->looked_at;
        next = LIST_NEXT(segment, link);
        if (!segment->dirty_units && !idle)
            continue;
        if (age < min_age_ns) {
            *next_ns = min_age_ns - age < *next_ns ? min_age_ns - age : *next_ns;
            continue;
        }
        /* The lock is let go meanwhile, but segments leave the list only here, under the purge lock. */
        bool fresh = min_age_ns && (segment->dirty_units & ~segment->aged_units);
        bytes += purge_segment(segment, !min_age_ns);
        if (fresh && min_age_ns < *next_ns)
            *next_ns = min_age_ns;
    }
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&purge_lock);
    return bytes;
}

struct oi_page_totals oi_page_each(void (*fn)(struct oi_page *page, void *arg), void *arg)
{
    struct oi_segment *segment;
    pthread_mutex_lock(&lock);
    LIST_FOREACH(segment, &segments, link) {
        for (unsigned i = first_page(segment); i < end_page(segment); i++) {
            struct oi_page *page = &segment->pages[i];
            if (page->own == page && oi_load_acquire(&page->pool))
                fn(page, arg);
        }
    }
    struct oi_page_totals copy = totals;
    pthread_mutex_unlock(&lock);
    return copy;
}

/* Pins those of one segment; the lock is held. */
static uint32_t pin_own(struct oi_segment *segment, const struct oi_pool *pool, struct oi_page **pages)
{
    uint32_t count = 0;
    for (unsigned i = first_page(segment); i < end_page(segment); i++) {
        struct oi_page *page = &segment->pages[i];
        if (page->own != page || page->pool != pool)
            continue;
        page->pins++;
        pages[count++] = page;
    }
    return count;
}

void oi_page_each_of(const struct oi_pool *pool, void (*fn)(struct oi_page *page, void *arg), void *arg)
{
    struct oi_segment *segment;
    struct oi_page *pages[OI_SEGMENT_UNITS];
    pthread_mutex_lock(&purge_lock); /* as in pin() */
    pthread_mutex_lock(&lock);
    LIST_FOREACH(segment, &segments, link) {
        uint32_t count = pin_own(segment, pool, pages);
        pthread_mutex_unlock(&lock);
        for (uint32_t i = 0; i < count; i++)
            fn(pages[i], arg);
        oi_page_unpin(pages, &count);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&purge_lock);
}

void oi_page_keep_mapped(void)
{
    pthread_mutex_lock(&purge_lock);
}

void oi_page_may_unmap(void)
{
    pthread_mutex_unlock(&purge_lock);
}

struct oi_page_totals oi_page_totals(void)
{
    pthread_mutex_lock(&lock);
    struct oi_page_totals copy = totals;
    pthread_mutex_unlock(&lock);
    return copy;
}

void oi_page_set_limits(size_t soft, size_t hard)
{
    pthread_mutex_lock(&lock);
    totals.soft_limit = soft;
    totals.hard_limit = hard;
    set_in_use(totals.in_use);
    pthread_mutex_unlock(&lock);
}

bool oi_page_is_over_soft_limit(void)
{
    return oi_load_relaxed(&over_soft_limit);
}

size_t oi_page_in_use(void)
{
    return oi_load_relaxed(&totals.in_use);
}

void oi_page_before_fork(void)
{
    pthread_mutex_lock(&purge_lock);
    pthread_mutex_lock(&lock);
}

void oi_page_after_fork(void)
{
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&purge_lock);
}
