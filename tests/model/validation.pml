/* SPDX-License-Identifier: MIT
 *
 * Biased counts while a concurrent collection goes on: how the collector finds out, without stopping anybody, that what it
 * took for garbage is garbage. What each property and reduction means: README.md.
 *
 * N objects with K slots each, one root slot that belongs to no object. Two mutators (1, 2) that may each own objects; the
 * finalizer thread (3), which owns none; the collector (4). The mutators run a bounded number of operations, chosen and interleaved
 * freely. The finalizer thread runs the finalizers that the collector leaves to it. The collector makes CYCLES collections.
 *
 * One step = one access to shared memory, plus accesses to what only this thread can touch at that moment. A CAS loop on
 * `shared` is one step: it decides on the very value that it replaces. Plain stores (to `local`, and of the read sections) go
 * through a store buffer of two entries if BUFFERS or ARM is set; atomics and the collector's membarrier empty it. The marks that
 * the collector stores become visible some time before that. Without, memory is sequentially consistent.
 *
 * What stands for what:
 *   check, touch         oi_check, oi_touch: rule D, before the disposal of a reference
 *   release, end_bias    oi_release, oi_unbias; the inline fast path is the first branch of release
 *   lock, unlock         oi_rcu_read_lock, oi_rcu_read_unlock
 *   try_retain           oi_try_retain; the load around it: load() in object/slot.c, ouro_get on a published container
 *   the upgrade          upgrade() in object/weak.c, ouro_weak_get
 *   begin_finalizing     revive() and the call; end_finalizing
 *   look                 oi_scope_may_look
 *   mark, edges_of, count_of, drop, drop_unaccounted, drop_touched: the functions of cycle/validate.c; oi_mark, oi_unmark
 *   grace_period         oi_os_membarrier and oi_limbo_grace_period
 *   set_aside            oi_reclaim_set_aside, with oi_validate_spare
 *   steal                oi_inbox_steal, note_tokens and oi_reclaim_tokens
 *   the safepoint's look for what force has left: settle() in object/inbox.c
 *   seal                 oi_reclaim_seal; free_members: oi_reclaim_free
 *
 * Each MUTANT_x removes one safeguard, each REACH_x asserts that something cannot happen which must be able to happen:
 * for both, Spin has to find an error. Each VARIANT_x leaves out or changes what is no safeguard.                            */

/* ---- configuration -------------------------------------------------------------------------------------------------- */
#ifndef N
#define N          2            /* objects; 2 or 3 */
#endif
#define K          2            /* slots of each */
#define ROOT       (N*K)        /* the root slot's index; slot s of object o is o*K+s */
#ifndef OPS1
#define OPS1       2            /* operations of mutators 1 and 2 */
#endif
#ifndef OPS2
#define OPS2       2
#endif
#ifndef OPS3
#define OPS3       1            /* of each finalizer on thread 3 */
#endif
#ifndef CYCLES
#define CYCLES     1            /* collections */
#endif
#ifndef GRAPH
#define GRAPH      0            /* the graph at the start, see init; 0: any of 1 to 11 */
#endif
#ifndef OWNERS
#define OWNERS     0            /* two digits: who objects 0 and 1 are biased to, 0: merged. OWNERS 0: one of 11, 12, 01 */
#endif
#ifndef WEAK
#define WEAK       0            /* bit o: object o has weak references at the start */
#endif
#ifndef TRIES
#define TRIES      3            /* openings of the verdict before the collector goes on without what has weak references */
#endif
#ifndef FINALIZERS
#define FINALIZERS 0            /* bit o: object o has a finalizer */
#endif
/* NO_ROOT     the root slot is not used
 * BUFFERS     store buffers, first in first out, as x86 has them
 * ARM         store buffers that drain in any order between locations; the write of a touch goes through them too
 * SPLIT       references of biased objects may be split between `local` and `shared` at the start
 * ANY_SET     the collector may take any set of objects for garbage, not just all of them
 * RECYCLE     mutators allocate, in blocks of dead objects
 * RETAINING   mutators also retain as such, not only as part of a load or a set
 * SWAPPING    when something is moved into a slot, the old content may be kept
 * PASSING     mutators hand references to each other outside the heap
 * BORROWING   mutators follow two slots in one read section
 * CHAINS      mutator 1 uses what it reaches through chains of slots, as it may if nobody changes them: mutator 2 does nothing
 * PARKING     mutator 1 parks and comes back; who drops a reference to an object biased to its slot meanwhile claims the slot
 * FORCED      there is no memory for tokens: such drops are made by force
 * STEAL       the collector takes tokens out of inboxes before it begins
 * NEW_WEAK    mutators make weak references
 * NO_MEMORY   now and then there is no memory for the token of a due finalizer
 * LAST        one collection is made at rest, and leaves nothing: with its phases, not computed                            */
#ifdef ARM
#define BUFFERS
#endif
#if WEAK || defined(NEW_WEAK)
#define WEAKLY
#endif

#define COLL       4
#if FINALIZERS
#define THREADS    3
#else
#define THREADS    2
#endif

/* ---- memory --------------------------------------------------------------------------------------------------------- */
byte  owner[N];                 /* slot id of the owner, 0 = none ... */
bit   cand[N];                  /* ... and CAND, in the same word */
bit   private[N];               /* not PUBLISHED */
bit   finalized[N];             /* FINALIZED */
byte  lcl[N];                   /* `local` as references, as its owner sees it ... */
byte  lmem[N];                  /* ... and as it is in memory. The last one's release leaves it as it is (OI_LAST reads as 1) */
short cnt[N];                   /* `shared`: the signed count, without OI_FINALIZING ... */
bit   merged[N];                /* ... MERGED ... */
bit   finalizing[N];            /* ... whether OI_FINALIZING is in it ... */
bit   dead[N];                  /* ... and whether all of it is DEAD */
byte  slot[ROOT+1];             /* object + 1, 0 = NULL */
byte  queue[2*N];               /* inboxes: tokens per slot and object */
byte  rcu[4];                   /* a reader's word: is in a section */
byte  buf0[4], buf1[4];         /* store buffers, the oldest first */
#ifdef BUFFERS
bit   stored[N];                /* a mark that the collector has stored, and that nobody sees yet */
#define STORED(o)  stored[o]
#define STORED_(o) now.stored[o]
#else
#define STORED(o)  0
#define STORED_(o) 0
#endif
/* Whether the block of o, if it dies, is reused only when such a mark is visible; in looked_at, as the collector's bit. */
#ifdef MUTANT_REUSED_BEFORE_MARK
#define AWAITS(o)  0
#define WAITING(o) 0
#else
#define AWAITS(o)  STORED_(o)
#define WAITING(o) (STORED(o) << COLL)
#endif
#ifdef WEAKLY
bit   weak[N];                  /* HAS_WEAK */
bit   anchor[N];                /* weak references lead to the object */
#define IS_WEAK(o) weak[o]
#define UNANCHOR(o) anchor[o] = 0
#else
#define IS_WEAK(o) 0
#define UNANCHOR(o) skip
#endif
#define IDLE       0
#define OPEN       1
#define RESCUED    2
#define COMMITTED  3
byte  verdict;                  /* oi_verdict */
#define THREAD     0
#define PARKED     1
#define CLAIMED    2
#ifdef PARKING
byte  state;                    /* of slot 1 */
#define ID(t)      ((t) == 1 && state != THREAD -> 9 : (t))       /* what thread t compares owners with */
#else
#define ID(t)      (t)
#endif
#ifdef FORCED
bit   forced[3];                /* slot: has objects whose count was lowered by force */
#endif
#define Q(w,o)     queue[((w)-1)*N+(o)]
#ifdef MUTANT_RAW_QUEUE
bit   raw[2*N];                 /* the inbox holds pointers, not tokens */
#define RAW(w,o)   raw[((w)-1)*N+(o)]
#endif

/* The collector's notes, its own. */
bit   member[N];
bit   marked[N];                /* this collection has marked it, and not taken the mark away */
byte  edge[ROOT];               /* what each slot of a member was found to refer to */
short noted[N];                 /* counts, as found; NO_COUNT: of what cannot be garbage */
#define NO_COUNT   99
#ifdef STEAL
byte  stolen[N];                /* tokens out of inboxes, in the collector's hand: references that lead from nobody to o */
#endif

/* ---- ghosts: no operation decides by them ------------------------------------------------------------------------------ */
byte  hand[3*N];                /* tokens that thread t holds ... */
byte  owed[4*N];                /* ... and those that it is obliged to release */
byte  due[3*N];                 /* thread t must run o's finalizer: o is DEAD, or the collector's token of it goes to the thread */
byte  running[4];               /* object + 1 whose finalizer thread t runs; the thread has a token of it for that */
byte  awaited;                  /* readers that the grace period under way waits for */
byte  inside;                   /* bit t: thread t is in a read section, in program order */
byte  looked_at[N];             /* of a dead object: bit t: reader t may still look at the block */
bit   ran[N];                   /* the finalizer was run */
bit   chosen[N];                /* the collector has decided to finalize it; until the finalizer starts */
bit   undecided[N];             /* chosen by a collection that was not decided then, and still is not */
bit   doomed[N];                /* in the committed set, and not spared since */
bit   spared[N];                /* once was in a committed set, and spared for a finalizer */
bit   missed[N];                /* a weak reference to it has read as NULL */
bit   late;                     /* since the decision a weak reference was followed, or a finalizer of this collection has started */
bit   collected;                /* the collector is through */
#ifdef REACH_STRADDLES
bit   noting;                   /* P3 has begun */
#endif
byte  finished;
#define HAND(t,o)  hand[((t)-1)*N+(o)]
#define OWED(t,o)  owed[((t)-1)*N+(o)]
#define DUE(t,o)   due[((t)-1)*N+(o)]
#define CHOSEN(o)  chosen[o]
#define UNDECIDED(o) undecided[o]
#define ALL        255

#define HAS_FINALIZER(o) ((FINALIZERS >> (o)) & 1)
#define IS_DUE(o)        (HAS_FINALIZER(o) && !finalized[o])

/* ---- what is checked ------------------------------------------------------------------------------------------------ */
/* a thread touches o on the strength of a token */
#define HELD(o)      assert(!dead[o])
/* a reader touches o: it may be dead, but its block is the same */
#define SEEN_BY(t, o) assert(!dead[o] || (looked_at[o] & (1 << (t))))
#define SEEN(o)      SEEN_BY(me, o)
/* counts stay in their domain */
#define COUNTED(o)   assert(lcl[o] > 0 && lcl[o] < 14)

#define REACHED(c)   if :: (c) -> assert(false) :: else fi
#define IS_MEMBER(o) member[o]

hidden byte T_, O_, E_;             /* arguments of C functions, and their results: */
hidden byte is_garbage, is_alive, is_unreachable, wrong;
c_code {
  #define EACH(i,n) for (i = 0; i < (n); i++)

  /* -- store buffers: an entry is kind << 6 | object << 4 | value -- */
  static void apply(int t, int e)
  {
    int o = e >> 4 & 3, v = e & 15;
    switch (e >> 6) {
    case 1: now.lmem[o] = v; break;
    case 2: now.rcu[t] = v; if (!v) now.awaited &= ~(1 << t); break;
    case 3: now.cand[o] = 0; break;
    }
  }
  static void drain(int t) { apply(t, now.buf0[t]); now.buf0[t] = now.buf1[t]; now.buf1[t] = 0; }
  static void flush_all(int t) { if (t < 4 && now.buf0[t]) drain(t); if (t < 4 && now.buf0[t]) drain(t); }
  static void put_entry(int t, int e)
  {
#ifdef BUFFERS
    if (t < 4) {
      if (now.buf1[t]) drain(t);
      if (now.buf0[t]) now.buf1[t] = e; else now.buf0[t] = e;
      return;
    }
#endif
    apply(t, e);
  }

  /* Stores in a section are visible before a grace period that waits for the section is over. */
  static void leave(int t)
  {
    int i;
    now.inside &= ~(1 << t);
    EACH(i, N) if (now.looked_at[i] != ALL && !(t == COLL && AWAITS(i))) now.looked_at[i] &= ~(1 << t);
  }
#ifdef BUFFERS
  static void show_mark(int o)
  {
    now.cand[o] = 1; now.stored[o] = 0;
    if (now.looked_at[o] != ALL && !(now.inside >> COLL & 1)) now.looked_at[o] &= ~(1 << COLL);
  }
#endif

  /* references in the slots of o are t's to release */
  static void owe_slots(int t, int o) { int k, v; EACH(k, K) if ((v = now.slot[o*K+k])) now.owed[(t-1)*N+v-1]++; }

#ifdef STEAL
  #define STOLEN(o) now.stolen[o]
#else
  #define STOLEN(o) 0
#endif
  static int count_of(int o) { return now.merged[o] ? now.cnt[o] : now.cnt[o] + now.lmem[o]; }

  /* tokens of o that are not in slots of objects */
  static int outside(int o)
  {
    int t, n = (now.slot[ROOT] == o+1) + now.queue[o] + now.queue[N+o] + STOLEN(o);
    for (t = 0; t < 4; t++) n += now.owed[t*N+o];
    for (t = 0; t < 3; t++) n += now.hand[t*N+o] + (now.running[t+1] == o+1) + (now.due[t*N+o] && !now.dead[o]);
    return n;
  }
  /* everything reachable from the set */
  static int closure(int set)
  {
    int j, old;
    do { old = set; EACH(j, ROOT) if (set >> j/K & 1 && now.slot[j]) set |= 1 << (now.slot[j] - 1); } while (set != old);
    return set;
  }
  static int all_alive(int set) { int i; EACH(i, N) if (set >> i & 1 && now.dead[i]) return 0; return 1; }
  /* what mutators can reach, but for the thread that is about to finalize */
  static int reachable(int but)
  {
    int i, t, set = now.slot[ROOT] ? 1 << (now.slot[ROOT] - 1) : 0;
    EACH(i, N) {
#ifndef STEAL                           /* else such a token may be one that was stolen and pushed back: it leads nobody there */
      if (now.queue[i] || now.queue[N+i]) set |= 1 << i;
#endif
      for (t = 1; t <= 3; t++) if (now.hand[(t-1)*N+i] || now.owed[(t-1)*N+i] || (now.running[t] == i+1 && t != but)) set |= 1 << i;
    }
    return closure(set);
  }
  /* what thread t may use: what it holds, and what chains of slots lead to that nobody else changes */
  static int usable(int t)
  {
    int i, set = 0;
    EACH(i, N) if (now.hand[(t-1)*N+i] || now.running[t] == i+1) set |= 1 << i;
#ifdef CHAINS
    set = closure(set);
#endif
    return set;
  }

  /* -- the worklist: drops a member, and what is not accounted for without its noted references -- */
  static int expected[N];             /* E: noted references from members */
  static void expect(void)
  {
    int i, j;
#ifdef MUTANT_STOLEN_NOT_NOTED
    EACH(i, N) expected[i] = 0;
#else
    EACH(i, N) expected[i] = STOLEN(i);
#endif
    EACH(j, ROOT) if (now.edge[j] && now.member[j/K]) expected[now.edge[j]-1]++;
  }
  static void drop_one(int first)
  {
    int d, k, target, todo[N], n = 0;
    now.member[first] = 0; todo[n++] = first;
    while (n) {
      d = todo[--n];
#if defined(MUTANT_SLOTS_READ_AGAIN)
      EACH(k, K) if ((target = now.slot[d*K+k] - 1) >= 0 && now.member[target]) { now.member[target] = 0; todo[n++] = target; }
#elif !defined(MUTANT_NO_FIXPOINT)
      EACH(k, K) if ((target = now.edge[d*K+k] - 1) >= 0 && now.member[target] && --expected[target] != now.noted[target]) {
        now.member[target] = 0; todo[n++] = target;
      }
#endif
    }
  }
  static void drop_it(int o) { expect(); drop_one(o); }
  /* The order of objects is that of their addresses, here either. */
  static void drop_all_unaccounted(int down)
  {
    int i, o;
    expect();
    EACH(i, N) { o = down ? N-1-i : i; if (now.member[o] && expected[o] != now.noted[o]) drop_one(o); }
  }

  /* -- P1, when nobody else does anything: what is not reachable from elsewhere -- */
  static void estimate(void)
  {
    int i, j, est, set = 0;
    EACH(i, N) if (!now.dead[i] && !now.private[i]) {
      est = count_of(i) - STOLEN(i);
      EACH(j, ROOT) if (now.slot[j] == i+1 && !now.dead[j/K] && !now.private[j/K]) est--;
      if (est > 0) set |= 1 << i;
    }
    set = closure(set);
    EACH(i, N) now.member[i] = !now.dead[i] && !now.private[i] && !(set >> i & 1);
  }

  /* Members are garbage: nobody has a token, and no slot but a member's, or a dead object's, refers to one. */
  static int are_garbage(void)
  {
    int i, j;
    EACH(i, N) if (now.member[i]) {
      if (now.dead[i] || outside(i) != STOLEN(i)) return 0;     /* its stolen tokens go with it */
      EACH(j, ROOT) if (now.slot[j] == i+1 && !now.dead[j/K] && !now.member[j/K]) return 0;
    }
    return 1;
  }

  /* At rest: 0, or the number of what is wrong. */
  static int at_rest(void)
  {
    int i, j, set = 0;
#ifdef STEAL
    int other = 0;                      /* what is reachable otherwise than from inboxes */
#endif
#ifdef MUTANT_RAW_QUEUE
    return 0;                           /* what matters is seen before */
#endif
    if (now.verdict != IDLE) return 9;
    EACH(i, N) {
      int tokens = outside(i);
#ifdef WEAKLY
      if (now.anchor[i] && now.dead[i]) return 10;
#endif
      if (now.dead[i]) {
        if (tokens) return 1;
        if ((FINALIZERS >> i & 1) && !now.ran[i] && !now.finalized[i]) return 7;
        continue;
      }
#ifndef NO_MARK_LEFT
      if (now.cand[i]) return 11;
#endif
      if (tokens) set |= 1 << i;
#ifdef STEAL
      if (tokens > now.queue[i] + now.queue[N+i]) other |= 1 << i;
#endif
      EACH(j, ROOT) if (now.slot[j] == i+1 && !now.dead[j/K]) tokens++;
      if (tokens != count_of(i)) return 2;
#ifdef FORCED
      if (!tokens && now.owner[i] && now.forced[now.owner[i]]) { set |= 1 << i; continue; }   /* the holder will look */
#endif
      if (!tokens) return 5;
      if (now.merged[i] ? now.owner[i] : !now.owner[i]) return 3;
      if (now.finalizing[i] || now.chosen[i]) return 8;
    }
    set = closure(set);
    if (!all_alive(set)) return 4;
#if defined(LAST)
    /* the last collection has left nothing but what is reachable, and what is another kind's */
#ifdef STEAL
    other = closure(other);
#else
    #define other set
#endif
    EACH(i, N) if (!now.dead[i] && !now.private[i] && !(other >> i & 1) && !now.ran[i] && !now.spared[i]) return 6;
#endif
    return 0;
  }
};

inline flush(t)   { T_ = t; c_code { flush_all(T_); } }
inline put(t, e)  { T_ = t; E_ = e; c_code { put_entry(T_, E_); } }
#define LOCAL_(o)  (64 | (o)<<4 | lcl[o])
#define RCU_(v)    (128 | (v))
#define TOUCH_(o)  (192 | (o)<<4)

/* ---- counts ---------------------------------------------------------------------------------------------------------- */
/* o, which this thread's CAS made DEAD, is destroyed: its slots' references are the thread's, its block waits for readers */
inline destroy(t, o) {
  owner[o] = 0; UNANCHOR(o); finalizing[o] = 0;
  T_ = t; O_ = o; c_code { owe_slots(T_, O_); };
#ifdef MUTANT_NO_LIMBO
  looked_at[o] = 0
#else
  looked_at[o] = (private[o] -> 0 : inside | WAITING(o))
#endif
}

inline die(t, o) {
  dead[o] = 1;
  if
  :: IS_DUE(o) -> looked_at[o] = ALL; DUE((t == COLL -> 3 : t), o) = 1
  :: else -> destroy(t, o)
  fi }

inline touch(t, o) {
#ifdef ARM
  flush(t); put(t, TOUCH_(o))
#else
  flush(t); cand[o] = 0
#endif
}

/* Reading a set CAND and clearing it is one step: being late with the second is like being late with both. */
inline check(t, o) {
  if :: cand[o] -> touch(t, o) :: else fi;
  w = owner[o] }

inline retain(t, o) {
  if
  :: w == ID(t) -> COUNTED(o); lcl[o]++; put(t, LOCAL_(o))
  :: else -> flush(t); cnt[o]++
  fi;
  HAND(t, o)++ }

#ifdef CHAINS
#define FORGET     w = 0; y = 0; can = 0
#else
#define FORGET     w = 0; y = 0
#endif
#if N > 2
#define OWES(t)    (OWED(t,0) || OWED(t,1) || OWED(t,2))
#define FIRST_OWED(t) y = (OWED(t,0) -> 0 : (OWED(t,1) -> 1 : 2))
#else
#define OWES(t)    (OWED(t,0) || OWED(t,1))
#define FIRST_OWED(t) y = (OWED(t,0) -> 0 : 1)
#endif

/* Ends the bias of o, by the holder of its slot, with one token that t owes. The plain store is the touch, too. */
#ifdef MUTANT_BIAS_STAYS
#define END_BIAS_1(t, o) HELD(o); flush(t); cand[o] = 0
#elif defined(VARIANT_BIAS_ENDS_MARKED)
#define END_BIAS_1(t, o) HELD(o); flush(t); owner[o] = 0
#else
#define END_BIAS_1(t, o) HELD(o); flush(t); owner[o] = 0; cand[o] = 0
#endif
#define END_BIAS_2(t, o, used) HELD(o); cnt[o] = cnt[o] + lcl[o] - used; merged[o] = 1; if :: cnt[o] == 0 && !finalizing[o] -> die(t, o) :: else fi

#ifdef MUTANT_FINALIZES_BEFORE_DEATH
#define NOT_FIRST(o) !(merged[o] && cnt[o] == 1 && IS_DUE(o))
#else
#define NOT_FIRST(o) true
#endif
/* Releases a token that t owes: y. */
inline release(t) {
  atomic { FIRST_OWED(t); HELD(y);
#ifdef MUTANT_NO_CHECK_ON_RELEASE
    w = owner[y]
#else
    check(t, y)
#endif
  };
  if
  :: atomic { w == ID(t) && private[y] && lcl[y] == 1 -> HELD(y); OWED(t, y)--; die(t, y); FORGET }
  :: atomic { w == ID(t) && lcl[y] > 1 -> HELD(y);
#ifdef REACH_STRADDLES
       REACHED(cand[y] && noting);
#endif
       lcl[y]--; put(t, LOCAL_(y)); OWED(t, y)--; FORGET }
#ifdef MUTANT_LAST_IN_TWO_STEPS
  :: atomic { w == ID(t) && lcl[y] == 1 && !private[y] ->       /* `local` first, then `shared`, then `owner` */
       HELD(y); lcl[y] = 0; put(t, LOCAL_(y)); OWED(t, y)-- };
     atomic { SEEN_BY(t, y); flush(t); if :: cnt[y] == 0 -> die(t, y) :: else -> merged[y] = 1 fi };
     if :: !dead[y] -> atomic { owner[y] = 0; cand[y] = 0; FORGET } :: else -> FORGET fi
#endif
  :: atomic { w == ID(t) && !private[y] && lcl[y] == 1 -> END_BIAS_1(t, y) };
     atomic { OWED(t, y)--; END_BIAS_2(t, y, 1); FORGET }
#ifdef MUTANT_FINALIZES_BEFORE_DEATH
  :: atomic { w != ID(t) && merged[y] && cnt[y] == 1 && IS_DUE(y) ->
       HELD(y); flush(t); finalized[y] = 1; OWED(t, y)--; DUE((t == COLL -> 3 : t), y) = 1; FORGET }
#endif
  :: atomic { w != ID(t) && NOT_FIRST(y) -> HELD(y); flush(t);
       if
       :: merged[y] -> cnt[y]--; OWED(t, y)--; if :: cnt[y] == 0 && !finalizing[y] -> die(t, y) :: else fi; FORGET
       :: !merged[y] && (cnt[y] > 0 || w == 0) -> cnt[y]--; OWED(t, y)--; FORGET
#ifdef MUTANT_RAW_QUEUE
       :: else -> cnt[y]--; OWED(t, y)--; push = 1              /* the count goes below zero, a mere pointer is queued */
#else
       :: else -> push = 1
#endif
       fi };
     if
#if defined(MUTANT_RAW_QUEUE)
     :: atomic { push -> RAW(w, y) = 1; push = 0; FORGET }
#elif defined(FORCED)
     :: atomic { push -> push = 0; HELD(y); if :: !merged[y] -> cnt[y]--; OWED(t, y)-- :: else -> w = 0 fi };
        atomic { if :: w -> forced[w] = 1 :: else fi; FORGET }
#elif defined(PARKING)
     :: atomic { push && w == 1 && state == PARKED -> state = CLAIMED; push = 0 };    /* with the token in hand */
        if
        :: atomic { owner[y] == 1 ->
#ifdef REACH_CLAIMER_UNMARKS
             REACHED(cand[y]);
#endif
             END_BIAS_1(t, y) };
           atomic { OWED(t, y)--; END_BIAS_2(t, y, 1); FORGET }
        :: owner[y] != 1                                        /* no longer biased to the slot: released once more */
        fi;
        atomic { state = PARKED; FORGET }
     :: atomic { push && (w != 1 || state == THREAD) -> Q(w, y)++; OWED(t, y)--; push = 0; FORGET }
#else
     :: atomic { push -> Q(w, y)++; OWED(t, y)--; push = 0; FORGET }
#endif
     :: !push
     fi
  fi }

#ifdef MUTANT_FENCES_IN_READERS_ONLY
inline lock()   { flush(me); rcu[me] = 1; inside = inside | (1 << me) }
inline unlock() { flush(me); rcu[me] = 0; awaited = awaited & ~(1 << me); T_ = me; c_code { leave(T_); } }
#else
inline lock()   { put(me, RCU_(1)); inside = inside | (1 << me) }
inline unlock() { put(me, RCU_(0)); T_ = me; c_code { leave(T_); } }
#endif

/* ---- choices --------------------------------------------------------------------------------------------------------- */
#define HAS(o)     (HAND(me,o) || running[me] == (o)+1)         /* the thread has a token of o */
#ifdef CHAINS
#define USABLE(o)  (can & (1 << (o)))                           /* the thread may use o */
#else
#define USABLE(o)  HAS(o)
#endif
#if N > 2
#define ANY(P)     (P(0) || P(1) || P(2))
#define FIRST(P)   (P(0) -> 0 : (P(1) -> 1 : 2))
#else
#define ANY(P)     (P(0) || P(1))
#define FIRST(P)   (P(0) -> 0 : 1)
#endif
#define MY_HAND(o) HAND(me,o)
#define MY_Q(o)    Q(me,o)
#define MY_DUE(o)  DUE(me,o)
#ifdef NO_ROOT
#define ANY_SLOT   ANY(HAS)
#else
#define ANY_SLOT   true
#endif

#ifdef CHAINS
inline begin() { ops--; T_ = me; c_code { T_ = usable(T_); }; can = T_ }
#else
inline begin() { ops-- }
#endif

/* s: a slot of an object x that the thread may use; or the root slot, x == N */
inline pick_slot() {
  if
  :: USABLE(0) -> x = 0; s = 0
  :: USABLE(0) -> x = 0; s = 1
  :: USABLE(1) -> x = 1; s = K
  :: USABLE(1) -> x = 1; s = K+1
#if N > 2
  :: USABLE(2) -> x = 2; s = 2*K
  :: USABLE(2) -> x = 2; s = 2*K+1
#endif
#ifndef NO_ROOT
  :: x = N; s = ROOT
#endif
  fi }

/* y: one that P is true of */
#if N > 2
#define PICK(P)    if :: P(0) -> y = 0 :: P(1) -> y = 1 :: P(2) -> y = 2 fi
#else
#define PICK(P)    if :: P(0) -> y = 0 :: P(1) -> y = 1 fi
#endif

#define CONTAINER_HELD if :: x < N -> HELD(x) :: else fi

/* Before y is put into slot s: publication, if the container is published; then rule D's check, if it is. */
#ifdef RECYCLE
#define IS_PRIVATE(x) (x < N && private[x])
/* A private object never bears the mark. */
#define PRIVATE_IN(j) (slot[y*K+(j)] && private[slot[y*K+(j)]-1])
inline publish_one(o) { assert(owner[o] == me && !cand[o]); private[o] = 0 }
#ifdef MUTANT_PUBLISHES_NO_REFERENTS
inline publish_referents() { skip }
#else
inline publish_referents() {
  do
  :: atomic { PRIVATE_IN(0) -> publish_one(slot[y*K]-1) }
  :: atomic { !PRIVATE_IN(0) && PRIVATE_IN(1) -> publish_one(slot[y*K+1]-1) }
  :: else -> break
  od }
#endif
inline publish_then_check() {
  if
  :: atomic { private[y] && !IS_PRIVATE(x) -> publish_one(y) };
     publish_referents()
  :: else
  fi;
  atomic { HELD(y); if :: IS_PRIVATE(x) -> w = owner[y] :: else -> check(me, y) fi } }
#endif

/* ---- finalizers and weak references ---------------------------------------------------------------------------------- */
/* An upgrade of o has succeeded. If one has given NULL before, a finalizer must have been due. */
inline found(o) {
  assert(!dead[o] && !doomed[o]);
#ifdef REACH_FOUND_WHEN_DUE
  REACHED(chosen[o]);
#endif
#ifdef REACH_FOUND_AFTER_NULL
  REACHED(missed[o]);
#endif
  assert(!missed[o] || spared[o] || ran[o]);
  if :: ANY(CHOSEN) && !ANY(UNDECIDED) -> late = 1 :: else fi }

/* An upgrade of o gives NULL. Nobody else can have o either, unless a finalizer is concerned. */
inline not_found(o) {
  T_ = 0; O_ = o; c_code { is_unreachable = !(reachable(T_) >> O_ & 1); };
#ifdef REACH_NULL_THOUGH_HELD
  REACHED(!is_unreachable && HAND(me, o));
#endif
#ifndef NO_NULL
  assert(is_unreachable || finalizing[o] || spared[o]);
#endif
  missed[o] = 1 }

/* A finalizer starts: the object is dead and brought back; or it came with a token of the collector's. The first finalizer of a
 * collection finds its object unreachable for everybody else, unless a weak reference was followed after the decision; the next
 * ones may find theirs where the first has put it.                                                                       */
inline begin_finalizing() {
  DUE(me,y) = 0; running[me] = y+1;
  assert(!ran[y]); ran[y] = 1;
  T_ = me; O_ = y; c_code { is_unreachable = !(reachable(T_) >> O_ & 1); };
  assert(is_unreachable || (chosen[y] && late));
  if
  :: dead[y] -> dead[y] = 0; looked_at[y] = 0; cnt[y] = 1;
#ifndef VARIANT_NO_FINALIZING
     finalizing[y] = 1;
#endif
#ifndef MUTANT_FINALIZED_FORGOTTEN
     finalized[y] = 1
#endif
  :: else -> chosen[y] = 0; undecided[y] = 0; late = 1;
#ifdef REACH_FINALIZED_BY_COLLECTOR
     assert(false)
#endif
  fi;
  T_ = y; c_code { is_alive = all_alive(closure(1 << T_)); }; assert(is_alive);
  y = 0 }

/* It returns, and the thread's token goes; the object lives on if others were made. */
inline end_finalizing_1() {
  HELD(y);
#ifdef MUTANT_NO_CHECK_AFTER_FINALIZER
  w = owner[y]
#else
  if :: finalizing[y] -> check(me, y) :: else fi
#endif
}
inline end_finalizing_2() {
  HELD(y);
  T_ = y; c_code { is_alive = all_alive(closure(1 << T_)); }; assert(is_alive);
  running[me] = 0;
  if
  :: finalizing[y] -> flush(me); cnt[y]--;
#ifndef MUTANT_FINALIZING_STAYS
     finalizing[y] = 0;
#endif
#ifdef REACH_RESURRECTED
     REACHED(cnt[y]);
#endif
     if :: cnt[y] == 0 -> die(me, y) :: else fi
#ifdef MUTANT_NO_TOKEN_FOR_FINALIZER
  :: else
#else
  :: else -> OWED(me,y)++;
#ifdef REACH_RESURRECTED_CYCLE
     T_ = me; O_ = y; c_code { is_unreachable = !(reachable(T_) >> O_ & 1); }; REACHED(!is_unreachable)
#endif
#endif
  fi;
  FORGET }

/* ---- a mutator, or the finalizer thread -------------------------------------------------------------------------------- */
#define READY      (!OWES(me) && ops > 0 && (me != 3 || running[me]))
#ifdef NO_ROOT
#define NOTHING_TO_DO (!ANY(MY_HAND) && !ANY(MY_Q))
#else
#define NOTHING_TO_DO false
#endif
#define SUCCEEDED  1
#define REVIVED    2            /* DEAD no more, or not yet: its finalizer runs */

/* The act of oi_try_retain, in a read section, on y, of which w is the owner. v tells what has become of it. */
inline try_retain() {
  SEEN(y);
#ifdef RECYCLE
  assert(!private[y] || dead[y] || owner[y] == me);
#endif
  if
  :: w == ID(me) -> assert(!dead[y]); retain(me, y); v = SUCCEEDED          /* biased to me and found: alive */
#ifdef MUTANT_RETAINS_THE_DEAD
  :: w != ID(me) && !finalizing[y] -> retain(me, y); v = SUCCEEDED
#else
  :: w != ID(me) && !dead[y] && !finalizing[y] -> retain(me, y); v = SUCCEEDED
#endif
  :: w != ID(me) && !dead[y] && finalizing[y] -> v = REVIVED
#ifndef MUTANT_RETAINS_THE_DEAD
  :: w != ID(me) && dead[y] -> v = 0
#endif
  fi }

proctype mutator(byte me; byte ops)
{ byte w, x, y, s, v; bit push;
#ifdef CHAINS
  byte can;                     /* bit o: what the operation begins with, it may use object o */
#endif
again:
  do
  :: OWES(me) -> release(me)

  /* safepoint: a token out of the inbox ends the bias, without a check; or is released as any other */
  :: atomic { READY && me < 3 && ID(me) == me && ANY(MY_Q) -> ops--; y = FIRST(MY_Q); Q(me,y)--; OWED(me,y)++;
       if :: owner[y] == me :: else -> FORGET; goto again fi };
     atomic { END_BIAS_1(me, y) };
     atomic { OWED(me, y)--; END_BIAS_2(me, y, 1); FORGET }

#ifdef FORCED
  /* safepoint: objects whose count was lowered by force lose their bias, and die if nothing is left. In a read section each, and
   * not if marked: it is no token that lets the owner touch them.                                                          */
  :: atomic { READY && me < 3 && forced[me] -> forced[me] = 0 };
     do
     :: atomic { y < N ->
#ifndef MUTANT_SETTLES_WITHOUT_SECTION
          lock();
#endif
          w = (private[y] -> 0 : owner[y]); v = cand[y] };
        atomic {
          if
          :: w == me && !merged[y] && cnt[y] < 0 ->
#ifndef MUTANT_SETTLES_MARKED
             if
             :: v ->
#ifndef MUTANT_FORGETS_FORCED
                forced[me] = 1;                                 /* when the owner drops its own, nobody will tell */
#endif
#ifdef REACH_SETTLES_LATER
                assert(false);
#endif
                w = 0
             :: else
             fi
#else
             skip
#endif
          :: else -> w = 0
          fi };
        if
        :: atomic { w -> END_BIAS_1(me, y) };
           atomic { END_BIAS_2(me, y, 0) }
        :: else
        fi;
        atomic { unlock(); w = 0; v = 0; y++ }
     :: atomic { y == N -> y = 0; break }
     od
#endif

#ifdef PARKING
  /* nothing is in the inbox of a slot that its thread leaves: counts.pml is about that */
  :: atomic { READY && me == 1 && state == THREAD && !ANY(MY_Q) -> ops--; flush(me); state = PARKED }
  :: atomic { READY && me == 1 && state == PARKED -> ops--; state = THREAD }
#endif

#ifdef RETAINING
  /* retain */
  :: atomic { READY && ANY(HAS) -> begin(); PICK(USABLE); HELD(y); w = owner[y] };
     atomic { HELD(y); retain(me, y); FORGET }
#endif

  /* get */
  :: atomic { READY && ANY_SLOT -> begin(); pick_slot();
#ifndef MUTANT_GETS_WITHOUT_SECTION
       lock();
#endif
       CONTAINER_HELD;
       v = slot[s];
       if :: v -> y = v-1 :: else -> unlock(); s = 0; x = 0; FORGET; goto again fi };
     atomic { SEEN(y); w = owner[y] };
     atomic { try_retain();
#if FINALIZERS
       if
       :: v == REVIVED
       :: else -> unlock(); v = 0; s = 0; x = 0; FORGET; goto again
       fi };
     /* found where it was read: the finalizer has put it there */
     atomic { SEEN(y); v = slot[s] == y+1 };
     atomic { SEEN(y);
       if
       :: v && finalizing[y] -> flush(me); cnt[y]++; HAND(me,y)++
#ifdef REACH_FOUND_FINALIZING
          ; REACHED(!running[me])
#endif
       :: else
       fi;
#else
       assert(v || slot[s] != y+1);             /* dead: then the slot has changed, for the container lives */
#endif
       unlock(); v = 0; s = 0; x = 0; FORGET }

#ifdef BORROWING
  /* two slots in one section, the first object's without a reference to it */
  :: atomic { READY && ANY_SLOT -> begin(); pick_slot(); lock(); CONTAINER_HELD;
       v = slot[s]; s = 0; x = 0;
       if :: v -> y = v-1; v = 0 :: else -> unlock(); goto again fi };
     atomic { SEEN(y);
       if :: v = slot[y*K] :: v = slot[y*K+1] fi;
       if :: v -> y = v-1 :: else -> unlock(); y = 0; goto again fi };
     atomic { SEEN(y); w = owner[y] };
     atomic { try_retain(); unlock(); v = 0; FORGET }
#endif

#ifdef MUTANT_RELEASES_BEFORE_EXCHANGE
  /* set to NULL: the old content is released while the slot still refers to it */
  :: atomic { READY && ANY_SLOT -> begin(); pick_slot(); CONTAINER_HELD; x = 0;
       v = slot[s]; if :: v -> OWED(me,v-1)++ :: else fi; v = 0 };
     do :: OWES(me) -> release(me) :: else -> break od;
     atomic { flush(me); slot[s] = 0; s = 0 }
#endif

  /* take */
  :: atomic { READY && ANY_SLOT -> begin(); pick_slot(); CONTAINER_HELD; flush(me);
       v = slot[s]; slot[s] = 0; if :: v -> HAND(me,v-1)++ :: else fi; s = 0; v = 0; x = 0; FORGET }

  /* set: one check for the retain and the move in; the exchange; then the old content is released */
  :: atomic { READY && ANY(HAS) -> begin(); pick_slot(); PICK(USABLE); HELD(y);
#ifdef RECYCLE
       };
     publish_then_check();
#elif defined(VARIANT_NO_CHECK_ON_SET)
       w = owner[y] };
#else
       check(me, y) };
#endif
     atomic { HELD(y); retain(me, y) };
     atomic { CONTAINER_HELD;
#ifndef MUTANT_RELAXED_EXCHANGE
       flush(me);
#endif
       v = slot[s]; slot[s] = y+1; HAND(me,y)--;
       if :: v -> OWED(me,v-1)++ :: else fi;
       s = 0; v = 0; x = 0; FORGET }

  /* give: moves in, and releases the old content. swap: keeps it */
  :: atomic { READY && ANY(MY_HAND) -> begin(); pick_slot(); PICK(MY_HAND); HELD(y);
#ifdef RECYCLE
       };
     publish_then_check();
#elif defined(MUTANT_NO_CHECK_ON_MOVE_IN) || defined(MUTANT_MOVES_IN_BEFORE_CHECK)
       };
#else
       check(me, y) };
#endif
     atomic { CONTAINER_HELD; flush(me);
       v = slot[s]; slot[s] = y+1; HAND(me,y)--;
       if
       :: v -> OWED(me,v-1)++
#ifdef SWAPPING
       :: v -> HAND(me,v-1)++
#endif
       :: else
       fi;
       s = 0; v = 0; x = 0;
#ifdef MUTANT_MOVES_IN_BEFORE_CHECK
     };
     atomic { SEEN(y); check(me, y);
#endif
       FORGET }

  /* release */
  :: atomic { READY && ANY(MY_HAND) -> ops--; PICK(MY_HAND); HAND(me,y)--; OWED(me,y)++; y = 0 }

#ifdef PASSING
  :: atomic { READY && me < 3 && ANY(MY_HAND) -> ops--; PICK(MY_HAND); HELD(y); flush(me); HAND(me,y)--; HAND(3-me,y)++; y = 0 }
#endif

#ifdef MUTANT_CHECK_BEFORE_PREVIOUS
  /* a take, then a release whose check was moved up before the take's act */
  :: atomic { READY && ops > 1 && HAND(me,0) && owner[0] == me && lcl[0] > 1 -> ops = ops-2; HELD(0); check(me, 0) };
     atomic { HELD(0); flush(me); v = slot[0]; slot[0] = 0; if :: v -> HAND(me,v-1)++ :: else fi; v = 0 };
     atomic { HELD(0); lcl[0]--; put(me, LOCAL_(0)); HAND(me,0)--; w = 0 }
#endif

#ifdef MUTANT_RAW_QUEUE
  :: atomic { READY && (RAW(me,0) || RAW(me,1)) -> ops--; y = (RAW(me,0) -> 0 : 1); RAW(me,y) = 0;
       SEEN(y);
       if
       :: owner[y] == me -> owner[y] = 0; cand[y] = 0; cnt[y] = cnt[y] + lcl[y]; merged[y] = 1;
          if :: cnt[y] == 0 -> die(me, y) :: else fi
       :: else
       fi;
       y = 0 }
#endif

#ifdef RECYCLE
  /* a block that no reader looks at any more: the free block's first word is 0, then the object is there, private */
#define FREE(o) (dead[o] && !looked_at[o])
  :: atomic { READY && me < 3 && ANY(FREE) -> ops--; PICK(FREE); looked_at[y] = ALL; private[y] = 1 };
     atomic { dead[y] = 0; looked_at[y] = 0; finalized[y] = 1; cnt[y] = 0; merged[y] = 0;
       slot[y*K] = 0; slot[y*K+1] = 0; owner[y] = me; doomed[y] = 0; spared[y] = 0; missed[y] = 0; ran[y] = 0;
#ifdef WEAKLY
       weak[y] = 0;
#endif
#ifndef MUTANT_BORN_MARKED
       cand[y] = 0;
#endif
       lcl[y] = 1; put(me, LOCAL_(y));
       HAND(me,y)++; y = 0 }
#endif

#ifdef NEW_WEAK
  /* a weak reference: the flag, then the way to the object, which everybody has at once */
#define NOT_WEAK(o) (HAS(o) && !weak[o])
  :: atomic { READY && ANY(NOT_WEAK) -> ops--; PICK(NOT_WEAK) };
#if defined(RECYCLE) && !defined(MUTANT_WEAK_TO_PRIVATE)
     if                                                         /* with whatever others reach it by */
     :: atomic { private[y] -> publish_one(y) };
        publish_referents()
     :: else
     fi;
#endif
     atomic { HELD(y); flush(me);
#if defined(MUTANT_WEAK_WITHOUT_FLAG)
       anchor[y] = 1; y = 0 }
#elif defined(VARIANT_ANCHOR_BEFORE_FLAG)
       anchor[y] = 1 };
     atomic { HELD(y); flush(me); weak[y] = 1; y = 0 }
#else
       weak[y] = 1 };
     atomic { HELD(y); flush(me); anchor[y] = 1; y = 0 }
#endif
#endif

#ifdef WEAKLY
  /* weak_get */
#define ANCHORED(o) anchor[o]
  :: atomic { READY && ANY(ANCHORED) -> ops--; PICK(ANCHORED);
#ifndef MUTANT_UPGRADES_WITHOUT_SECTION
       lock()
#endif
     };
     atomic { SEEN(y); v = cand[y] };
     if
     :: atomic { v ->                           /* a CAS from OPEN, or a load */
          v = IDLE;
#ifndef MUTANT_NO_VERDICT
          v = verdict; if :: v == OPEN -> verdict = RESCUED :: else fi
#endif
        };
#ifndef MUTANT_IGNORES_COMMITTED
        if
        :: v == COMMITTED ->
#ifndef MUTANT_NO_SECOND_LOOK
           atomic { SEEN(y); if :: cand[y] :: else -> v = IDLE fi };
#endif
           atomic {
#ifndef MUTANT_NO_THIRD_LOOK
             if :: v == COMMITTED && verdict != COMMITTED -> v = IDLE :: else fi;
#endif
             if
             :: v == COMMITTED -> not_found(y); unlock(); v = 0; y = 0;
#ifdef REACH_NULL_BY_VERDICT
                assert(false);
#endif
                goto again
             :: else
             fi }
        :: else
        fi;
#endif
#ifndef MUTANT_NO_TOUCH_ON_UPGRADE
        atomic { SEEN(y); touch(me, y) }
#endif
     :: else
     fi;
     atomic { SEEN(y); w = owner[y] };
     atomic { try_retain(); if :: v == SUCCEEDED -> found(y) :: else -> not_found(y) fi; unlock(); v = 0; FORGET }
#endif

#if FINALIZERS
  :: atomic { !OWES(me) && !running[me] && ANY(MY_DUE) -> y = FIRST(MY_DUE); begin_finalizing() }
  :: atomic { !OWES(me) && running[me] -> y = running[me]-1; end_finalizing_1() };
     atomic { end_finalizing_2() }
  :: atomic { me == 3 && collected && !running[3] && !ANY(MY_DUE) && !OWES(me) -> break }
#endif
  :: atomic { me < 3 && !OWES(me) && !running[me] && !ANY(MY_DUE) && (ops == 0 || NOTHING_TO_DO) -> break }
  od;
  atomic { flush(me); finished++ }
}

#ifdef BUFFERS
proctype buffer(byte t)
{
  do
  :: atomic { buf0[t] -> T_ = t; c_code { drain(T_); } }
#ifdef ARM
  /* another location's store overtakes; a section's end does not overtake its beginning */
  :: atomic { buf1[t] && (buf0[t]>>4) != (buf1[t]>>4) && !((buf0[t]>>6) == 2 && (buf1[t]>>6) == 2) ->
       T_ = t; c_code { apply(T_, now.buf1[T_]); }; buf1[t] = 0 }
#endif
  :: finished == THREADS && !buf0[t] -> break
  od }
#endif

/* ---- the collector ------------------------------------------------------------------------------------------------------ */
#if defined(BUFFERS) && !defined(MUTANT_G1_WITHOUT_MEMBARRIER) && !defined(MUTANT_FENCES_IN_READERS_ONLY)
#define FENCES
#endif
/* It begins with the collector's own barrier. */
inline membarrier() {
#ifndef MUTANT_OWN_BARRIER_LAST
  show_marks();
#endif
  atomic { flush(1) }; atomic { flush(2) }; atomic { flush(3) }
#ifdef MUTANT_OWN_BARRIER_LAST
  ; show_marks()
#endif
}

#ifdef BUFFERS
inline show_marks() {
  d_step { O_ = 0;
    do
    :: O_ < N && stored[O_] -> c_code { show_mark(O_); }; O_++
    :: O_ < N && !stored[O_] -> O_++
    :: else -> O_ = 0; break
    od } }

proctype marks()
{
  do
  :: atomic { stored[0] -> assert(!private[0]); c_code { show_mark(0); } }
  :: atomic { stored[1] -> assert(!private[1]); c_code { show_mark(1); } }
#if N > 2
  :: atomic { stored[2] -> assert(!private[2]); c_code { show_mark(2); } }
#endif
  :: collected -> break
  od }
#define MARK(o) stored[o]
#else
#define show_marks() skip
#define MARK(o) cand[o]
#endif

/* Sections that began before it have ended after it. M1 is the barrier that it begins with. */
inline grace_period() {
#ifdef FENCES
  membarrier();
#else
  show_marks();
#endif
  awaited = rcu[1]*2 | rcu[2]*4 | rcu[3]*8;
  awaited == 0
#ifdef FENCES
  ; membarrier()
#endif
}

/* The collector's walks over its members: a step for each */
#define SKIP_OTHERS(P) do :: i < N && !(P) -> i++ :: else -> break od

inline enter_section() { inside = inside | (1 << COLL) }
inline leave_section() { T_ = COLL; c_code { leave(T_); } }

/* P2. Only the members themselves are marked: what is found published and alive keeps its block until the section ends. */
inline mark() {
  do
  :: atomic { SKIP_OTHERS(member[i]); if :: i == N -> i = 0; break :: else fi;
#ifndef MUTANT_MARKS_WITHOUT_SECTION
       enter_section();
#endif
#ifdef MUTANT_MARKS_BY_FLAGS_FIRST
       ch = private[i] };
     atomic { ch = ch || dead[i] };
#else
       ch = dead[i] };
#ifdef RECYCLE
     atomic { ch = ch || private[i] };
#endif
#endif
     atomic {
       if
       :: ch -> member[i] = 0
       :: else -> assert(!private[i]); MARK(i) = 1; marked[i] = 1
#ifdef VARIANT_READS_WEAK_AT_MARK
          ; if :: IS_WEAK(i) -> has_weak = 1 :: else fi
#endif
#ifdef REACH_MARKS_THE_DEAD
          ; REACHED(dead[i])
#endif
#ifdef REACH_MARKS_FINALIZING
          ; REACHED(finalizing[i])
#endif
       fi;
       ch = 0; leave_section(); i++ }
  od }

#define NEXT_MEMBER SKIP_OTHERS(member[i]); if :: i == N -> i = 0; break :: else fi

/* P3a: each slot of the next member, once */
inline edges_of() {
#ifdef RECYCLE
  atomic { NEXT_MEMBER; enter_section(); ch = dead[i] };
  atomic { ch = ch || private[i] };
#else
  atomic { NEXT_MEMBER; ch = dead[i]; if :: !ch -> edge[i*K] = slot[i*K] :: else fi };
#endif
  if
  :: atomic { ch -> edge[i*K] = 0; edge[i*K+1] = 0; ch = 0; leave_section(); i++ }
#ifdef RECYCLE
  :: atomic { !ch -> edge[i*K] = slot[i*K] };
     atomic { edge[i*K+1] = slot[i*K+1]; leave_section(); i++ }
#else
  :: atomic { !ch -> edge[i*K+1] = slot[i*K+1]; leave_section(); i++ }
#endif
  fi }

/* P3b: `shared` of the next member, then `local`, then its flags */
inline count_of() {
#ifdef RECYCLE
  atomic { NEXT_MEMBER; enter_section(); ch = dead[i]
#ifdef REACH_MEMBER_RECYCLED
    ; REACHED(private[i])
#endif
  };
#ifdef VARIANT_COUNTS_PRIVATE
  atomic { noted[i] = (ch -> NO_COUNT : 0) };
#else
  atomic { noted[i] = (ch || private[i] -> NO_COUNT : 0) };
#endif
  atomic {
#else
  atomic { NEXT_MEMBER;
#endif
#ifdef VARIANT_LOCAL_BEFORE_SHARED
    before = lmem[i] };
  atomic {
#endif
#ifdef MUTANT_COUNTS_THE_DEAD
    noted[i] = (noted[i] -> NO_COUNT : cnt[i]);
#else
    noted[i] = (dead[i] || noted[i] -> NO_COUNT : cnt[i]);
#endif
#ifndef VARIANT_COUNTS_FINALIZING
    if :: finalizing[i] -> noted[i] = NO_COUNT :: else fi;
#endif
    ch = merged[i] };
  atomic {
#ifdef VARIANT_LOCAL_BEFORE_SHARED
    if :: noted[i] != NO_COUNT && !ch -> noted[i] = noted[i] + before :: else fi; before = 0;
#else
    if :: noted[i] != NO_COUNT && !ch -> noted[i] = noted[i] + lmem[i] :: else fi;
#endif
    if :: noted[i] < 0 -> noted[i] = NO_COUNT :: else fi;       /* 0 is what force has left: garbage */
#ifdef REACH_FORCE_LEFT_NOTHING
    REACHED(noted[i] == 0);
#endif
    ch = 0
#ifdef NEW_WEAK
  };
  atomic {
#else
    ;
#endif
#ifndef VARIANT_READS_WEAK_AT_MARK
    if :: noted[i] != NO_COUNT && IS_WEAK(i) -> has_weak = 1 :: else fi;
#endif
    leave_section(); i++ } }

inline note() {
#if defined(MUTANT_COUNTS_BEFORE_EDGES)
  do :: count_of() od;
  do :: edges_of() od
#elif defined(MUTANT_COUNTS_BETWEEN_EDGES)
  do :: edges_of(); i--; count_of() od
#else
  do :: edges_of() od;
  do :: count_of() od
#endif
}

/* Members that have been dropped lose their marks, in any order. */
#define LEFT(o)    (marked[o] && !member[o])
inline unmark_one() { PICK(LEFT); marked[y] = 0; doomed[y] = 0;
#ifndef MUTANT_DROPPED_KEEP_MARK
  cand[y] = 0;
#endif
  y = 0 }
#define NONE_LEFT  !ANY(LEFT)           /* then: the next step */
inline drop(o)  { T_ = o; c_code { drop_it(T_); } }

inline drop_unaccounted() {
  atomic { if :: T_ = 0 :: T_ = 1 fi; c_code { drop_all_unaccounted(T_); } };
  do :: atomic { ANY(LEFT) -> unmark_one() } :: atomic { NONE_LEFT -> break } od }

inline drop_touched() {
#ifndef MUTANT_NO_P5
  do
  :: atomic { ANY(LEFT) -> unmark_one() }
  :: atomic { NONE_LEFT -> SKIP_OTHERS(member[i]);
       if :: i == N -> i = 0; break :: else ->
#ifdef REACH_TOUCHED
          REACHED(!cand[i]);
#endif
          if :: !cand[i] -> drop(i) :: else fi; i++
       fi }
  od
#else
  skip
#endif
}

/* From here on the members are garbage, whatever anybody does. */
inline commit() {
  T_ = 0; c_code { is_garbage = are_garbage(); };
#ifndef NO_GARBAGE
  assert(is_garbage);
#endif
  if :: !ANY(CHOSEN) -> late = 0 :: else fi; i = 0;
  do :: i < N -> doomed[i] = member[i]; undecided[i] = 0; i++ :: else -> break od;
  i = 0 }

/* Members whose finalizer is due get a token of the collector's; then they, and what they refer to, are spared. */
#ifdef MUTANT_SPARES_ONLY_CHOSEN
#define TO_SPARE(o) (member[o] && chosen[o])
#else
#define TO_SPARE(o) (member[o] && (chosen[o] || IS_DUE(o)))
#endif
inline set_aside() {
  do
  :: atomic { SKIP_OTHERS(member[i] && IS_DUE(i));
       if
       :: i == N -> i = 0; break
       :: i < N -> chosen[i] = 1; undecided[i] = !doomed[i];
#ifndef MUTANT_NO_TOKEN_FOR_FINALIZER
          cnt[i]++
#endif
#ifdef NO_MEMORY
       :: i < N -> i++; goto without                            /* without a token: it will be spared, and found again */
#endif
       fi };
#ifdef MUTANT_FINALIZED_FORGOTTEN
     atomic { i++ }
#else
     atomic { finalized[i] = 1; i++ }
#endif
#ifdef NO_MEMORY
without: skip
#endif
  od;
  do
  :: atomic { ANY(LEFT) -> unmark_one() }
  :: atomic { NONE_LEFT && ANY(TO_SPARE) -> PICK(TO_SPARE);
       j = 0; do :: j < N -> was[j] = member[j]; j++ :: else -> break od; j = 0;
#ifdef MUTANT_SPARES_NO_REFERENTS
       member[y] = 0;
#else
       drop(y);
#endif
       j = 0; do :: j < N -> if :: was[j] && !member[j] -> spared[j] = 1 :: else fi; was[j] = 0; j++ :: else -> break od; j = 0;
       y = 0 }
  :: NONE_LEFT && !ANY(TO_SPARE) -> break
  od }

inline unanchor_members() {
  do
  :: atomic { SKIP_OTHERS(member[i] && IS_WEAK(i)); if :: i == N -> i = 0; break :: else -> UNANCHOR(i); i++ fi }
  od }

/* All members DEAD, then the weak references to them cleared, then the verdict is over. */
inline seal() {
#ifdef WEAKLY
#ifdef MUTANT_IDLE_BEFORE_DEAD
  atomic { verdict = IDLE };
#endif
  do
  :: atomic { SKIP_OTHERS(member[i]); if :: i == N -> i = 0; break :: else fi;
#ifdef MUTANT_UNMARKED_BEFORE_DEAD
       owner[i] = 0; cand[i] = 0; };
     atomic { dead[i] = 1; looked_at[i] = ALL; i++ }
#else
       assert(!dead[i]); dead[i] = 1; looked_at[i] = ALL };
#ifdef MUTANT_KEEPS_OWNER
     atomic { cand[i] = 0; i++ }
#else
     atomic { owner[i] = 0; cand[i] = 0; i++ }
#endif
#endif
  od;
#ifndef MUTANT_UNANCHORED_AFTER_FREEING
  unanchor_members();
#endif
#ifndef MUTANT_VERDICT_STAYS
  atomic { verdict = IDLE }
#endif
#else
  i = 0; d_step { i = 0;
    do
    :: i < N && member[i] -> assert(!dead[i]); dead[i] = 1; owner[i] = 0; cand[i] = 0; looked_at[i] = ALL; i++
    :: i < N && !member[i] -> i++
    :: i == N -> break
    od;
    i = 0 }
#endif
}

/* Tokens of what is not a member go; blocks that weak references do not lead to are free at once. */
inline free_members() {
  i = 0; d_step { i = 0; j = 0;
    do
    :: i < N && member[i] ->
#if defined(MUTANT_NO_LIMBO) || defined(MUTANT_NO_LIMBO_FOR_WEAK)
       looked_at[i] = 0;
#else
       looked_at[i] = (IS_WEAK(i) -> inside | WAITING(i) : 0);
#endif
       j = 0;
#if defined(MUTANT_DROPS_NOTHING)
#define DROPS(to)  false
#elif defined(MUTANT_DROPS_MEMBERS)
#define DROPS(to)  (to)
#else
#define DROPS(to)  ((to) && !member[(to)-1])
#endif
       do
       :: j < K -> if :: DROPS(slot[i*K+j]) -> OWED(COLL, slot[i*K+j]-1)++ :: else fi; j++
       :: else -> break
       od;
       i++
    :: i < N && !member[i] -> i++
    :: i == N -> break
    od;
    i = 0; j = 0 } }

inline decide() {
#ifdef WEAKLY
  do
  :: has_weak && tries < TRIES ->
     atomic { verdict = OPEN; tries++ };
#ifdef MUTANT_VERDICT_MEMBARRIER_ONLY
#ifdef FENCES
     membarrier();
#endif
#else
     grace_period();
#endif
#ifndef MUTANT_NO_LOOK_BEFORE_COMMIT
     drop_touched();
#endif
#ifdef MUTANT_SET_ASIDE_BEFORE_COMMIT
     set_aside();
#endif
#ifdef MUTANT_COMMITS_OVER_RESCUES
     atomic { verdict = COMMITTED; commit() }; break
#else
     atomic { if :: verdict == OPEN -> verdict = COMMITTED; commit(); ch = 1 :: else fi };
     if
     :: ch -> ch = 0; break
     :: else
#ifdef REACH_RESCUED
        ; assert(false)
#endif
     fi
#endif
  :: has_weak && tries == TRIES ->
#ifdef REACH_GIVES_UP
     assert(false);
#endif
     atomic { verdict = IDLE; has_weak = 0 };
#ifndef MUTANT_KEEPS_WEAK_MEMBERS
#define WEAK_MEMBER(o) (member[o] && IS_WEAK(o))
     do
     :: atomic { ANY(LEFT) -> unmark_one() }
     :: atomic { NONE_LEFT && ANY(WEAK_MEMBER) -> y = FIRST(WEAK_MEMBER); drop(y); y = 0 }
     :: NONE_LEFT && !ANY(WEAK_MEMBER) -> break
     od
#endif
  :: !has_weak -> atomic { commit() }; break
  od
#else
  atomic { commit() }
#endif
}

/* P0: everything that is in an inbox. Whether the owner has been quick enough is anybody's guess. */
inline steal() {
  i = 1;
  do
  :: i <= 2 ->
     atomic {
       if
       :: j = 0;
          do
          :: j < N ->
#ifdef MUTANT_STEALS_BY_FORCE
             cnt[j] = cnt[j] - Q(i,j);
#else
             stolen[j] = stolen[j] + Q(i,j);
#endif
             Q(i,j) = 0; j++
          :: else -> break
          od;
          j = 0
#ifdef LAST
       :: cycle < CYCLES
#else
       :: true
#endif
       fi;
       i++ }
  :: else -> i = 0; break
  od }

/* The collection is over: tokens of what is no member are released. */
inline release_stolen() {
  i = 0; d_step { i = 0;
    do
    :: i < N ->
#ifdef REACH_STOLEN_GARBAGE
       REACHED(stolen[i] && member[i]);
#endif
#ifdef REACH_STOLEN_RELEASED
       REACHED(stolen[i] && !member[i]);
#endif
#if defined(MUTANT_RELEASES_STOLEN_OF_MEMBERS)
       OWED(COLL, i) = OWED(COLL, i) + stolen[i];
#elif !defined(MUTANT_FORGETS_STOLEN)
       if :: !member[i] -> OWED(COLL, i) = OWED(COLL, i) + stolen[i] :: else fi;
#endif
       stolen[i] = 0; i++
    :: else -> break
    od;
    i = 0 } }

/* nobody else does anything */
#if FINALIZERS
#define QUIET      (finished == 2 && !running[3] && !OWES(3) && !DUE(3,0) && !DUE(3,1))
#else
#define QUIET      (finished == THREADS)
#endif

proctype collector()
{ byte i, j, y, w, tries, cycle;
#ifdef CHAINS
  byte can;
#endif
#ifdef VARIANT_LOCAL_BEFORE_SHARED
  byte before;
#endif
  bit ch, push, has_weak, was[N];
  do
  :: cycle < CYCLES ->
     cycle++;
#ifdef LAST
     if :: cycle == CYCLES -> (QUIET && !buf0[1] && !buf0[2] && !buf0[3]) :: else fi;
#endif
#ifdef STEAL
     steal();
#endif
     /* P1, the estimate, may guess anything. */
     atomic { i = 0;
#ifdef LAST
       if
       :: cycle == CYCLES -> i = 0; c_code { estimate(); }
       :: else ->
#endif
       do
       :: i < N ->
          if
          :: member[i] = 1
#ifdef ANY_SET
          :: member[i] = 0
#endif
          fi;
          i++
       :: else -> break
       od
#ifdef LAST
       fi
#endif
       ;
       i = 0 };

#ifndef MUTANT_MARKS_AFTER_G1
     mark();
#endif
#if defined(MUTANT_G1_MEMBARRIER_ONLY)
#ifdef FENCES
     membarrier();
#endif
#elif !defined(MUTANT_NO_G1)
     grace_period();
#endif
#ifdef MUTANT_MARKS_AFTER_G1
     mark();
#endif
#ifdef REACH_STRADDLES
     noting = 1;
#endif
     note();
     drop_unaccounted();

#if defined(FENCES) && !defined(MUTANT_NO_G2) && !defined(VARIANT_NO_G2)
     membarrier();
#endif
     drop_touched();
     decide();

#ifdef REACH_PAIR
     REACHED(member[0] && member[1] && finished < THREADS);
#endif
#ifdef REACH_SECOND_COLLECTION
     REACHED(cycle == 2 && ANY(IS_MEMBER) && finished < THREADS);
#endif
#if FINALIZERS && !defined(MUTANT_SET_ASIDE_BEFORE_COMMIT)
     set_aside();
#endif
#ifdef REACH_THE_REST_GOES
     REACHED(chosen[1] && member[0]);
#endif
     seal();
     free_members();
#ifdef MUTANT_UNANCHORED_AFTER_FREEING
     unanchor_members();
#endif
#ifdef STEAL
     release_stolen();
#endif
     do :: OWES(COLL) -> release(COLL) :: else -> break od;
#if FINALIZERS
     i = 0; d_step { i = 0; do :: i < N -> if :: chosen[i] && !ran[i] -> DUE(3,i) = 1 :: else fi; i++ :: else -> break od; i = 0 };
#endif
     i = 0; d_step { i = 0; tries = 0; has_weak = 0;
       do :: i < N -> member[i] = 0; marked[i] = 0; noted[i] = 0; doomed[i] = 0; edge[i*K] = 0; edge[i*K+1] = 0; i++ :: else -> break od;
       i = 0 }
  :: else -> break
  od;
  collected = 1;
  i = 0; d_step { finished == THREADS && !buf0[1] && !buf0[2] && !buf0[3] -> c_code { wrong = at_rest(); };
    assert(wrong != 1); assert(wrong != 2); assert(wrong != 3); assert(wrong != 4); assert(wrong != 5); assert(wrong != 6);
    assert(wrong != 7); assert(wrong != 8); assert(wrong != 9); assert(wrong != 10); assert(wrong != 11) }
}

/* ---- the start ---------------------------------------------------------------------------------------------------------- */
inline start(o, who, n) {
  if
  :: who == 0 -> merged[o] = 1; cnt[o] = n
  :: else -> owner[o] = who;
     if
     :: lcl[o] = n; lmem[o] = n
#ifdef SPLIT
     :: n > 1 -> lcl[o] = 1; lmem[o] = 1; cnt[o] = n-1
#endif
     fi
  fi }

#define IS(g) (GRAPH == 0 || GRAPH == g)
init {
  byte who0, who1, n0, n1;
  atomic {
#if OWNERS
    who0 = (OWNERS)/10; who1 = (OWNERS)%10;
#else
    if :: who0 = 1; who1 = 1 :: who0 = 1; who1 = 2 :: who1 = 1 fi;
#endif
    if
    :: IS(1)  -> slot[0] = 2; n1++; HAND(1,0) = 1; n0++                                    /* 1 holds 0; 0 -> 1 */
    :: IS(2)  -> slot[0] = 2; n1++; HAND(1,0) = 1; n0++; HAND(2,1) = 1; n1++               /* the same, and 2 holds 1 */
    :: IS(3)  -> slot[0] = 2; n1++; HAND(1,0) = 1; n0++; HAND(2,0) = 1; n0++               /* both hold 0; 0 -> 1 */
    :: IS(4)  -> slot[0] = 2; n1++; slot[K] = 1; n0++; HAND(1,0) = 1; n0++                 /* 1 holds 0; 0 <-> 1 */
    :: IS(5)  -> slot[0] = 2; n1++; slot[K] = 1; n0++; HAND(1,0) = 1; n0++; HAND(2,1) = 1; n1++  /* the same, and 2 holds 1 */
    :: IS(6)  -> HAND(1,0) = 1; n0++; HAND(1,1) = 1; n1++; HAND(2,1) = 1; n1++             /* no references in slots */
    :: IS(10) -> slot[0] = 2; n1++; slot[1] = 1; n0++; HAND(1,0) = 1; n0++                 /* 1 holds 0; 0 -> 0, 0 -> 1 */
    :: IS(11) -> slot[0] = 2; n1++; slot[1] = 1; n0++; HAND(1,0) = 1; n0++; HAND(2,0) = 1; n0++  /* the same, both hold 0 */
#ifndef NO_ROOT
    :: IS(7)  -> slot[ROOT] = 1; n0++; slot[0] = 2; n1++                                   /* root -> 0 -> 1 */
    :: IS(8)  -> slot[ROOT] = 1; n0++; slot[0] = 2; n1++; slot[K] = 1; n0++                /* root -> 0 <-> 1 */
    :: IS(9)  -> slot[ROOT] = 1; n0++; slot[0] = 2; n1++; HAND(2,1) = 1; n1++              /* root -> 0 -> 1, 2 holds 1 */
#endif
    :: GRAPH == 12 -> slot[0] = 2; n1++; slot[K] = 1; n0++                                 /* garbage: 0 <-> 1 */
    :: GRAPH == 13 -> slot[0] = 2; n1++; slot[1] = 1; n0++                                 /* garbage: 0 -> 0, 0 -> 1 */
    :: GRAPH == 14 -> HAND(1,0) = 1; n0++; HAND(2,1) = 1; n1++                             /* 1 holds 0, 2 holds 1 */
    :: GRAPH == 15 -> slot[0] = 2; n1++; slot[K] = 1; n0++; HAND(1,1) = 1; n1++            /* 1 holds 1; 0 <-> 1 */
    :: GRAPH == 16 -> slot[0] = 2; n1++; HAND(1,0) = 1; n0++; private[0] = 1; private[1] = 1  /* 1 holds 0; 0 -> 1, private */
    fi;
    start(0, who0, n0); start(1, who1, n1);
#if N > 2
    owner[2] = 1; lcl[2] = 1; lmem[2] = 1;
    if :: slot[K] == 0 -> slot[K] = 3 :: HAND(1,2) = 1 fi;                                 /* 1 -> 2, or 1 holds 2 */
#endif
#ifdef WEAKLY
    weak[0] = WEAK & 1; weak[1] = WEAK >> 1 & 1; anchor[0] = weak[0]; anchor[1] = weak[1];
#endif
    who0 = 0; who1 = 0; n0 = 0; n1 = 0;
    run mutator(1, OPS1); run mutator(2, OPS2);
#if FINALIZERS
    run mutator(3, OPS3);
#endif
#ifdef BUFFERS
    run buffer(1); run buffer(2); run marks();
#if FINALIZERS
    run buffer(3);
#endif
#endif
    run collector()
  }
}
