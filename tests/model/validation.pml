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
 * through a store buffer of two entries if BUFFERS or ARM is set; atomics and the collector's membarrier empty it. Without,
 * memory is sequentially consistent.
 *
 * What stands for what:
 *   check, touch         oi_check, oi_touch: rule D, before the disposal of a reference
 *   release, unbias      oi_release, oi_unbias; the inline fast path is the first branch of release
 *   lock, unlock         oi_rcu_read_lock, oi_rcu_read_unlock
 *   the load             ouro_get on a published container: load() with oi_try_retain
 *   the upgrade          ouro_weak_get: upgrade() with oi_verdict
 *   begin_finalizing     revive() and the call; end_finalizing
 *   mark                 P2: mark(), with oi_scope_may_look
 *   grace_period         oi_os_membarrier and oi_limbo_grace_period
 *   note_edges, note_counts, drop_unaccounted, drop_touched, unmark: the functions of cycle/validate.c
 *   set_aside            oi_reclaim_set_aside, with oi_validate_spare
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
#define OPS3       1            /* of each finalizer on thread 3; with ADOPTION: of the next holder of slot 1 */
#endif
#ifndef CYCLES
#define CYCLES     1            /* collections; one more is computed at the end, from the exact counts */
#endif
#ifndef GRAPH
#define GRAPH      0            /* the graph at the start, see init; 0: any of 1 to 11 */
#endif
#ifndef OWNERS
#define OWNERS     0            /* two digits: who objects 0 and 1 are biased to, 0: merged. OWNERS 0: one of 11, 12, 01 */
#endif
#ifndef WEAK
#define WEAK       0            /* bit o: object o has weak references */
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
 * PASSING     mutators hand references to each other outside the heap
 * BORROWING   mutators follow two slots in one read section
 * ADOPTION    slot 1 has two holders, one after the other; queues of a vacant slot are carried out under a claim        */
#ifdef ARM
#define BUFFERS
#endif

#define COLL       4
#if FINALIZERS
#define THREADS    3
#define MUTATORS   3            /* that must have finished at the end */
#elif defined(ADOPTION)
#define THREADS    2
#define MUTATORS   3
#else
#define THREADS    2
#define MUTATORS   2
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
byte  queue[3*N];               /* inboxes: tokens per slot and object */
byte  rcu[4];                   /* a reader's word: is in a section */
byte  buf0[4], buf1[4];         /* store buffers, the oldest first */
byte  anchor[N];                /* weak references lead to the object */
#define IDLE       0
#define OPEN       1
#define RESCUED    2
#define COMMITTED  3
byte  verdict;                  /* oi_verdict */
#define VACANT     0
#define THREAD     1
#define CLAIMED    2
#ifdef ADOPTION
byte  state[3];                 /* of slot 1 */
#endif
#define Q(w,o)     queue[(w)*N+(o)]
#ifdef MUTANT_RAW_QUEUE
bit   raw[3*N];                 /* the inbox holds pointers, not tokens */
#define RAW(w,o)   raw[(w)*N+(o)]
#endif

/* The collector's notes, its own. */
bit   member[N];
bit   guess[N];                 /* members as the estimate left them */
byte  edge[ROOT];               /* what each slot of a member was found to refer to */
short noted[N];                 /* counts, as found */

/* ---- ghosts: no operation decides by them ------------------------------------------------------------------------------ */
byte  hand[5*N];                /* tokens that thread t holds ... */
byte  owed[5*N];                /* ... and those that it is obliged to release */
byte  due[4*N];                 /* thread t must run o's finalizer: o is DEAD, or the collector's token of it goes to the thread */
byte  running[4];               /* object + 1 whose finalizer thread t runs; the thread has a token of it for that */
byte  awaited;                  /* readers that the grace period under way waits for */
byte  inside;                   /* bit t: thread t is in a read section, in program order */
byte  looked_at[N];             /* of a dead object: bit t: reader t may still look at the block */
bit   ran[N];                   /* the finalizer was run */
bit   chosen[N];                /* the collector has decided to finalize it; until the finalizer starts */
bit   doomed[N];                /* in the committed set, and not spared since */
bit   early[N];                 /* chosen by a collection that was not decided yet, and still is not */
bit   committed;                /* the collection under way is decided */
bit   late;                     /* since then a weak reference was followed, or a finalizer of this collection has started */
bit   collected;                /* the collector is through */
byte  finished;
#define HAND(t,o)  hand[(t)*N+(o)]
#define OWED(t,o)  owed[(t)*N+(o)]
#define DUE(t,o)   due[(t)*N+(o)]
#define CHOSEN(o)  chosen[o]
#define ALL        255

#define HAS_WEAK(o)      ((WEAK >> (o)) & 1)
#define HAS_FINALIZER(o) ((FINALIZERS >> (o)) & 1)

/* ---- what is checked ------------------------------------------------------------------------------------------------ */
/* a thread touches o on the strength of a token */
#define HELD(o)      assert(!dead[o])
/* a reader touches o: it may be dead, but its block is the same */
#define SEEN_BY(t, o) assert(!dead[o] || (looked_at[o] & (1 << (t))))
#define SEEN(o)      SEEN_BY(me, o)
/* counts stay in their domain */
#define COUNTED(o)   assert(lcl[o] > 0 && lcl[o] < 14)

#define REACHED(c)   if :: (c) -> assert(false) :: else fi

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

  static void leave(int t) { int i; now.inside &= ~(1 << t); EACH(i, N) if (now.looked_at[i] != ALL) now.looked_at[i] &= ~(1 << t); }

  /* references in the slots of o are t's to release */
  static void owe_slots(int t, int o) { int k, v; EACH(k, K) if ((v = now.slot[o*K+k])) now.owed[t*N+v-1]++; }

  /* tokens of o that are not in slots of objects */
  static int outside(int o)
  {
    int t, n = (now.slot[ROOT] == o+1) + now.queue[1*N+o] + now.queue[2*N+o];
    for (t = 1; t <= 4; t++) n += now.hand[t*N+o] + now.owed[t*N+o];
    for (t = 1; t <= 3; t++) n += (now.running[t] == o+1) + (now.due[t*N+o] && !now.dead[o]);
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
      if (now.queue[1*N+i] || now.queue[2*N+i]) set |= 1 << i;
      for (t = 1; t <= 3; t++) if (now.hand[t*N+i] || now.owed[t*N+i] || (now.running[t] == i+1 && t != but)) set |= 1 << i;
    }
    return closure(set);
  }

  /* -- the collector's worklist, as a loop: drops whose count is not accounted for by noted references from members -- */
  static void fixpoint(void)
  {
    int i, j, e, again;
    do {
      again = 0;
      EACH(i, N) if (now.member[i]) {
        e = 0;
        EACH(j, ROOT) if (now.edge[j] == i+1 && now.member[j/K]) e++;
        if (e != now.noted[i]) { now.member[i] = 0; again = 1; }
      }
    } while (again);
  }
#ifdef MUTANT_SLOTS_READ_AGAIN
  /* counts against the notes once; what the dropped refer to is then found by looking at their slots */
  static void fixpoint_by_slots(void)
  {
    int i, j, e, again;
    EACH(i, N) if (now.member[i]) {
      e = 0;
      EACH(j, ROOT) if (now.edge[j] == i+1 && now.guess[j/K]) e++;
      if (e != now.noted[i]) now.member[i] = 0;
    }
    do {
      again = 0;
      EACH(j, ROOT) if (now.guess[j/K] && !now.member[j/K] && now.slot[j] && now.member[now.slot[j]-1]) { now.member[now.slot[j]-1] = 0; again = 1; }
    } while (again);
  }
#define fixpoint fixpoint_by_slots
#endif

  /* Members are garbage: nobody has a token, and no slot but a member's, or a dead object's, refers to one. */
  static int are_garbage(void)
  {
    int i, j;
    EACH(i, N) if (now.member[i]) {
      if (now.dead[i] || outside(i)) return 0;
      EACH(j, ROOT) if (now.slot[j] == i+1 && !now.dead[j/K] && !now.member[j/K]) return 0;
    }
    return 1;
  }

  /* At rest: 0, or the number of what is wrong. */
  static int at_rest(void)
  {
    int i, j, e, again, set = 0, left[N];
    EACH(i, N) {
      int tokens = outside(i);
      if (now.dead[i]) {
        if (tokens) return 1;
        if ((FINALIZERS >> i & 1) && !now.ran[i] && !now.private[i]) return 7;
        continue;
      }
      if (tokens) set |= 1 << i;
      EACH(j, ROOT) if (now.slot[j] == i+1 && !now.dead[j/K]) tokens++;
      if (tokens != (now.merged[i] ? now.cnt[i] : now.cnt[i] + now.lmem[i])) return 2;
      if (now.merged[i] ? now.cnt[i] == 0 || now.owner[i] : !now.owner[i]) return 3;
      if (now.finalizing[i] || now.chosen[i]) return 8;
    }
    set = closure(set);
    if (!all_alive(set)) return 4;
    /* one more collection, of everything, finds just what is not reachable */
    EACH(i, N) left[i] = !now.dead[i];
    do {
      again = 0;
      EACH(i, N) if (left[i]) {
        e = 0;
        EACH(j, ROOT) if (left[j/K] && now.slot[j] == i+1) e++;
        if (e != (now.merged[i] ? now.cnt[i] : now.cnt[i] + now.lmem[i])) { left[i] = 0; again = 1; }
      }
    } while (again);
    EACH(i, N) if (!now.dead[i] && left[i] == (set >> i & 1)) return left[i] ? 6 : 5;
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
  owner[o] = 0; anchor[o] = 0; finalizing[o] = 0;
  T_ = t; O_ = o; c_code { owe_slots(T_, O_); };
#ifdef MUTANT_NO_LIMBO
  looked_at[o] = 0
#else
  looked_at[o] = (private[o] -> 0 : inside)
#endif
}

inline die(t, o) {
  dead[o] = 1;
  if
  :: HAS_FINALIZER(o) && !finalized[o] -> looked_at[o] = ALL; DUE((t == COLL -> 3 : t), o) = 1
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
  :: w == t -> COUNTED(o); lcl[o]++; put(t, LOCAL_(o))
  :: else -> flush(t); cnt[o]++
  fi;
  HAND(t, o)++ }

/* Releases a token that t owes. evident: it was in the inbox, so the bias is ended. */
inline release(t, o) {
  atomic { HELD(o);
#ifdef MUTANT_NO_CHECK_ON_RELEASE
    w = owner[o]
#else
    check(t, o)
#endif
  };
  if
  :: w == t && private[o] && lcl[o] == 1 -> atomic { HELD(o); OWED(t, o)--; die(t, o) }
  :: w == t && lcl[o] > 1 && !evident -> atomic { HELD(o); lcl[o]--; put(t, LOCAL_(o)); OWED(t, o)-- }
#ifdef MUTANT_LAST_IN_TWO_STEPS
  :: w == t && lcl[o] == 1 && !private[o] ->                    /* `local` first, then `shared`, then `owner` */
     atomic { HELD(o); lcl[o] = 0; put(t, LOCAL_(o)); OWED(t, o)-- };
     atomic { SEEN_BY(t, o); flush(t); if :: cnt[o] == 0 -> die(t, o) :: else -> merged[o] = 1 fi };
     if :: !dead[o] -> atomic { owner[o] = 0; cand[o] = 0 } :: else fi
#endif
  :: w == t && !private[o] && (lcl[o] == 1 || evident) ->       /* oi_unbias: the plain store is the touch, too */
     atomic { HELD(o); flush(t); owner[o] = 0; cand[o] = 0 };
     atomic { HELD(o);
       cnt[o] = cnt[o] + lcl[o] - 1; merged[o] = 1; OWED(t, o)--;
       if :: cnt[o] == 0 && !finalizing[o] -> die(t, o) :: else fi }
  :: w != t ->
     atomic { HELD(o); flush(t);
       if
       :: merged[o] -> cnt[o]--; OWED(t, o)--; if :: cnt[o] == 0 && !finalizing[o] -> die(t, o) :: else fi
       :: !merged[o] && (cnt[o] > 0 || w == 0) -> cnt[o]--; OWED(t, o)--
#ifdef MUTANT_RAW_QUEUE
       :: else -> cnt[o]--; OWED(t, o)--; push = 1              /* the count goes below zero, a mere pointer is queued */
#else
       :: else -> push = 1
#endif
       fi };
     if
#ifdef MUTANT_RAW_QUEUE
     :: push -> atomic { RAW(w, o) = 1; push = 0 }
#else
     :: push -> atomic { Q(w, o)++; OWED(t, o)--; push = 0 }
#endif
     :: else
     fi
  fi }

inline lock()   { put(me, RCU_(1)); inside = inside | (1 << me) }
inline unlock() { put(me, RCU_(0)); T_ = me; c_code { leave(T_); } }

/* ---- choices --------------------------------------------------------------------------------------------------------- */
#define HAS(o)     (HAND(me,o) || running[me] == (o)+1)         /* the thread may use o */
#if N > 2
#define ANY(P)     (P(0) || P(1) || P(2))
#define FIRST(P)   (P(0) -> 0 : (P(1) -> 1 : 2))
#else
#define ANY(P)     (P(0) || P(1))
#define FIRST(P)   (P(0) -> 0 : 1)
#endif
#define MY_HAND(o) HAND(me,o)
#define MY_OWED(o) OWED(me,o)
#define MY_Q(o)    Q(me,o)
#define MY_DUE(o)  DUE(me,o)
#ifdef NO_ROOT
#define ANY_SLOT   ANY(HAS)
#else
#define ANY_SLOT   true
#endif

/* s: a slot of an object x that the thread has; or the root slot, x == N */
inline pick_slot() {
  if
  :: HAS(0) -> x = 0; s = 0
  :: HAS(0) -> x = 0; s = 1
  :: HAS(1) -> x = 1; s = K
  :: HAS(1) -> x = 1; s = K+1
#if N > 2
  :: HAS(2) -> x = 2; s = 2*K
  :: HAS(2) -> x = 2; s = 2*K+1
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
inline publish_one(o) { atomic { assert(owner[o] == me && !cand[o]); private[o] = 0 } }
inline publish_then_check() {
  if
  :: private[y] && !IS_PRIVATE(x) ->
     publish_one(y);
     z = 0;
     do
     :: z < K && slot[y*K+z] && private[slot[y*K+z]-1] -> publish_one(slot[y*K+z]-1); z++
     :: z < K && !(slot[y*K+z] && private[slot[y*K+z]-1]) -> z++
     :: z == K -> break
     od;
     z = 0
  :: else
  fi;
  atomic { HELD(y); if :: IS_PRIVATE(x) -> w = owner[y] :: else -> check(me, y) fi } }
#endif

/* ---- finalizers and weak references ---------------------------------------------------------------------------------- */
/* what an upgrade may find: no object whose finalizer is due, while the collection can still be overturned */
inline found(o) {
#ifdef REACH_FOUND_WHEN_DUE
  REACHED(chosen[o]);
#endif
  assert(!early[o]); if :: ANY(CHOSEN) -> late = 1 :: else fi }

/* A finalizer starts: the object is dead and brought back; or it came with a token of the collector's. The first finalizer of a
 * collection finds its object unreachable for everybody else, unless a weak reference was followed after the decision; the next
 * ones may find theirs where the first has put it.                                                                       */
inline begin_finalizing() {
  atomic {
    DUE(me,y) = 0; running[me] = y+1;
    assert(!ran[y]); ran[y] = 1;
    T_ = me; O_ = y; c_code { is_unreachable = !(reachable(T_) >> O_ & 1); };
    assert(is_unreachable || (chosen[y] && late));
    if
    :: dead[y] -> dead[y] = 0; looked_at[y] = 0; finalizing[y] = 1; cnt[y] = 1;
#ifndef MUTANT_FINALIZED_FORGOTTEN
       finalized[y] = 1
#endif
    :: else -> chosen[y] = 0; late = 1;
#ifdef REACH_FINALIZED_BY_COLLECTOR
       assert(false)
#endif
    fi;
    T_ = y; c_code { is_alive = all_alive(closure(1 << T_)); }; assert(is_alive);
    y = 0 } }

/* It returns, and the thread's token goes; the object lives on if others were made. */
inline end_finalizing() {
#ifdef MUTANT_NO_CHECK_AFTER_FINALIZER
  atomic { HELD(y); w = owner[y] };
#else
  atomic { HELD(y); if :: finalizing[y] -> check(me, y) :: else fi };
#endif
  atomic { HELD(y);
    T_ = y; c_code { is_alive = all_alive(closure(1 << T_)); }; assert(is_alive);
    running[me] = 0;
    if
    :: finalizing[y] -> flush(me); finalizing[y] = 0; cnt[y]--;
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
    w = 0; y = 0 } }

/* ---- a mutator, or the finalizer thread -------------------------------------------------------------------------------- */
#define READY      (!ANY(MY_OWED) && ops > 0 && (me != 3 || running[me]))

proctype mutator(byte me; byte ops)
{ byte w, x, y, s, v, z; bit push, evident;
#ifdef ADOPTION
  atomic { me != 1 || state[1] == VACANT -> if :: me == 1 -> state[1] = THREAD :: else fi };
#endif
  do
  :: ANY(MY_OWED) -> y = FIRST(MY_OWED); release(me, y); atomic { w = 0; y = 0; evident = 0 }

  /* safepoint: a token out of the inbox */
  :: atomic { READY && me < 3 && ANY(MY_Q) -> ops--; y = FIRST(MY_Q); Q(me,y)--; OWED(me,y)++; evident = 1; y = 0 }

  /* load */
  :: atomic { READY && ANY_SLOT -> ops--; pick_slot(); lock(); CONTAINER_HELD;
       v = slot[s];
       if :: v -> y = v-1 :: else -> unlock(); s = 0; x = 0 fi };
     if
     :: v ->
        atomic { SEEN(y); w = owner[y] };
        atomic { SEEN(y);
          if
          :: w == me -> assert(!dead[y]); retain(me, y)         /* biased to me and found: alive */
          :: w != me && !dead[y] && (!finalizing[y] || slot[s] == y+1) -> retain(me, y)
#ifdef REACH_FOUND_FINALIZING
             ; REACHED(finalizing[y] && !running[me])
#endif
          :: else
          fi;
          unlock(); w = 0; v = 0; y = 0; s = 0; x = 0 }
     :: else
     fi

#ifdef BORROWING
  /* two slots in one section, the first object's without a reference to it */
  :: atomic { READY && ANY_SLOT -> ops--; pick_slot(); lock(); CONTAINER_HELD;
       v = slot[s]; s = 0; x = 0;
       if :: v -> y = v-1 :: else -> unlock() fi };
     if
     :: v ->
        atomic { SEEN(y); if :: v = slot[y*K] :: v = slot[y*K+1] fi; if :: v -> y = v-1 :: else -> unlock(); y = 0 fi }
     :: else
     fi;
     if
     :: v ->
        atomic { SEEN(y); w = owner[y] };
        atomic { SEEN(y);
          if
          :: w == me -> assert(!dead[y]); retain(me, y)
          :: w != me && !dead[y] && !finalizing[y] -> retain(me, y)
          :: else
          fi;
          unlock(); w = 0; v = 0; y = 0 }
     :: else
     fi
#endif

  /* take */
  :: atomic { READY && ANY_SLOT -> ops--; pick_slot(); CONTAINER_HELD; flush(me);
       v = slot[s]; slot[s] = 0; if :: v -> HAND(me,v-1)++ :: else fi; s = 0; v = 0; x = 0 }

  /* store: one check for the retain and the move in; the exchange; then the old content is released */
  :: atomic { READY && ANY(HAS) -> ops--; pick_slot(); PICK(HAS); HELD(y);
#ifdef RECYCLE
       };
     publish_then_check();
#elif defined(VARIANT_NO_CHECK_ON_STORE)
       w = owner[y] };
#else
       check(me, y) };
#endif
     atomic { HELD(y); retain(me, y) };
     atomic { CONTAINER_HELD; flush(me);
       v = slot[s]; slot[s] = y+1; HAND(me,y)--;
       if :: v -> OWED(me,v-1)++ :: else fi;
       s = 0; v = 0; x = 0; y = 0; w = 0 }

  /* move in */
  :: atomic { READY && ANY(MY_HAND) -> ops--; pick_slot(); PICK(MY_HAND); HELD(y);
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
       if :: v -> OWED(me,v-1)++ :: else fi;
       s = 0; v = 0; x = 0; w = 0 };
#ifdef MUTANT_MOVES_IN_BEFORE_CHECK
     atomic { SEEN(y); check(me, y); w = 0 };
#endif
     y = 0

  /* release */
  :: atomic { READY && ANY(MY_HAND) -> ops--; PICK(MY_HAND); HAND(me,y)--; OWED(me,y)++; y = 0 }

#ifdef PASSING
  :: atomic { READY && me < 3 && ANY(MY_HAND) -> ops--; PICK(MY_HAND); HELD(y); HAND(me,y)--; HAND(3-me,y)++; y = 0 }
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
       slot[y*K] = 0; slot[y*K+1] = 0; owner[y] = me; cand[y] = 0;
       lcl[y] = 1; put(me, LOCAL_(y));
       HAND(me,y)++; y = 0 }
#endif

#if WEAK
  /* upgrade */
  :: atomic { READY -> ops--; if :: HAS_WEAK(0) -> y = 0 :: HAS_WEAK(1) -> y = 1 fi; lock();
       v = anchor[y]; if :: v :: else -> unlock(); y = 0 fi };
     if
     :: v ->
        atomic { SEEN(y); w = owner[y]; v = cand[y] };
        if
        :: v ->
#ifndef MUTANT_NO_VERDICT
           atomic { v = verdict; if :: v == OPEN -> verdict = RESCUED :: else fi };     /* a CAS */
           if
           :: v == COMMITTED ->
              atomic { SEEN(y);
#ifndef MUTANT_NO_SECOND_LOOK
                if
                :: cand[y] -> assert(doomed[y] || dead[y])      /* NULL */
#ifdef REACH_NULL_BY_VERDICT
                   ; assert(false)
#endif
                :: else -> v = IDLE
                fi
#else
                assert(doomed[y] || dead[y])
#endif
              }
           :: else
           fi;
           if
           :: v != COMMITTED -> atomic { SEEN(y); touch(me, y); w = owner[y] }
           :: else
           fi
#else
           v = IDLE; atomic { SEEN(y); touch(me, y); w = owner[y] }
#endif
        :: else
        fi;
        atomic { SEEN(y);
          if
          :: v == COMMITTED
          :: v != COMMITTED && w == me -> assert(!dead[y] && !doomed[y]); retain(me, y); found(y)
          :: v != COMMITTED && w != me && !dead[y] && !finalizing[y] -> assert(!doomed[y]); retain(me, y); found(y)
          :: else
          fi;
          unlock(); w = 0; v = 0; y = 0 }
     :: else
     fi
#endif

#if FINALIZERS
  :: !ANY(MY_OWED) && !running[me] && ANY(MY_DUE) -> y = FIRST(MY_DUE); begin_finalizing()
  :: atomic { !ANY(MY_OWED) && running[me] -> y = running[me]-1 }; end_finalizing()
  :: me == 3 && collected && !running[3] && !ANY(MY_DUE) && !ANY(MY_OWED) -> break
#endif
  :: me < 3 && !ANY(MY_OWED) && !running[me] && !ANY(MY_DUE) && (ops == 0
#ifdef NO_ROOT
       || (!ANY(MY_HAND) && !ANY(MY_Q))
#endif
     ) -> break
  od;
  atomic { flush(me); finished++;
#ifdef ADOPTION
    if :: me == 1 -> state[1] = VACANT :: else fi               /* what is biased to the slot stays so */
#endif
  }
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
  :: finished == MUTATORS && !buf0[t] -> break
  od }
#endif

/* ---- the collector ------------------------------------------------------------------------------------------------------ */
#ifdef BUFFERS
inline membarrier() { atomic { flush(1) }; atomic { flush(2) }; atomic { flush(3) } }
#else
inline membarrier() { skip }
#endif
/* Sections that began before it have ended after it. */
inline grace_period() {
#ifndef MUTANT_G1_WITHOUT_MEMBARRIER
  membarrier();
#endif
  awaited = rcu[1]*2 | rcu[2]*4 | rcu[3]*8;
  awaited == 0
#ifndef MUTANT_G1_WITHOUT_MEMBARRIER
  ; membarrier()
#endif
}

/* The collector's walks over its members: a step for each */
#define SKIP_OTHERS(P) do :: i < N && !(P) -> i++ :: else -> break od

/* P2. Only the members themselves are marked: what is seen published and alive in a section keeps its block until the section ends. */
inline mark() {
  do
  :: atomic { SKIP_OTHERS(member[i]);
       if
       :: i == N -> i = 0; break
       :: else
       fi;
#ifndef MUTANT_MARKS_WITHOUT_SECTION
       inside = inside | (1 << COLL);
#endif
#ifdef MUTANT_MARKS_BY_FLAGS_FIRST
       ch = private[i] };
     atomic { ch = ch || dead[i] };
#else
       ch = dead[i] };
     atomic { ch = ch || private[i] };
#endif
     if
     :: ch -> member[i] = 0
     :: else -> atomic { assert(!private[i]); cand[i] = 1 }
#ifdef REACH_MARKS_THE_DEAD
        ; REACHED(dead[i])
#endif
#ifdef REACH_MARKS_FINALIZING
        ; REACHED(finalizing[i])
#endif
     fi;
     atomic { ch = 0; T_ = COLL; c_code { leave(T_); }; i++ }
  od }

inline note_edges() {
  do
  :: atomic { SKIP_OTHERS(member[i]);
       if :: i == N -> i = 0; break :: else -> edge[i*K] = slot[i*K] fi };
     atomic { edge[i*K+1] = slot[i*K+1]; i++ }
  od }

inline note_counts() {
  do
  :: atomic { SKIP_OTHERS(member[i]);
       if
       :: i == N -> i = 0; break
       :: else ->
#ifdef REACH_MEMBER_RECYCLED
          REACHED(private[i]);
#endif
          if
          :: dead[i] || private[i] -> member[i] = 0
#ifndef VARIANT_COUNTS_FINALIZING
          :: finalizing[i] -> member[i] = 0
#endif
          :: else
          fi;
          noted[i] = cnt[i]; ch = merged[i];
          if :: member[i] && HAS_WEAK(i) -> has_weak = 1 :: else fi
       fi };
     atomic { if :: !ch -> noted[i] = noted[i] + lmem[i] :: else fi; ch = 0; i++ }
  od }

inline drop_unaccounted() { atomic { T_ = 0; c_code { fixpoint(); } } }

/* Takes the mark away from what has been dropped */
inline unmark() {
#ifndef MUTANT_DROPPED_KEEP_MARK
  do
  :: atomic { SKIP_OTHERS(guess[i] && !member[i]);
       if :: i == N -> i = 0; break :: else -> cand[i] = 0; doomed[i] = 0; i++ fi }
  od
#else
  skip
#endif
}

inline drop_touched() {
#ifndef MUTANT_NO_P5
  do
  :: atomic { SKIP_OTHERS(member[i]);
       if :: i == N -> i = 0; break :: else ->
#ifdef REACH_TOUCHED
          REACHED(!cand[i]);
#endif
          if :: !cand[i] -> member[i] = 0 :: else fi; i++
       fi }
  od;
#endif
  drop_unaccounted();
  unmark() }

/* From here on the members are garbage, whatever anybody does. */
inline commit() {
  T_ = 0; c_code { is_garbage = are_garbage(); }; assert(is_garbage);
  committed = 1; if :: !ANY(CHOSEN) -> late = 0 :: else fi; i = 0;
  do :: i < N -> doomed[i] = member[i]; early[i] = 0; i++ :: else -> break od;
  i = 0 }

/* Members with a finalizer that has not run get a token of the collector's; then they, and what they refer to, are spared. */
inline set_aside() {
  do
  :: atomic { SKIP_OTHERS(member[i] && HAS_FINALIZER(i) && !finalized[i]);
       if :: i == N -> i = 0; break :: else fi;
       chosen[i] = 1; early[i] = !committed; ch = 1;
#ifndef MUTANT_NO_TOKEN_FOR_FINALIZER
       cnt[i]++
#endif
     };
#ifdef MUTANT_FINALIZED_FORGOTTEN
     atomic { i++ }
#else
     atomic { finalized[i] = 1; i++ }
#endif
  od;
  if
  :: ch ->
     i = 0; d_step { ch = 0;
       do :: i < N -> if :: chosen[i] -> member[i] = 0 :: else fi; i++ :: else -> break od; i = 0
#ifndef MUTANT_SPARES_NO_REFERENTS
       ; T_ = 0; c_code { fixpoint(); }
#endif
     };
     unmark()
  :: else
  fi }

inline seal() {
#if WEAK
  do
  :: atomic { SKIP_OTHERS(member[i]); if :: i == N -> i = 0; break :: else fi;
#ifdef MUTANT_OWNER_BEFORE_DEAD
       owner[i] = 0; cand[i] = 0; };
     atomic { dead[i] = 1; looked_at[i] = ALL; i++ }
#else
       assert(!dead[i]); dead[i] = 1; looked_at[i] = ALL };
     atomic { owner[i] = 0; cand[i] = 0; i++ }
#endif
  od;
  do
  :: atomic { SKIP_OTHERS(member[i] && HAS_WEAK(i)); if :: i == N -> i = 0; break :: else -> anchor[i] = 0; i++ fi }
  od;
  atomic { verdict = IDLE }
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
       looked_at[i] = (HAS_WEAK(i) -> inside : 0);
#ifdef MUTANT_NO_LIMBO
       looked_at[i] = 0;
#endif
       j = 0;
       do
       :: j < K -> if :: slot[i*K+j] && !member[slot[i*K+j]-1] -> OWED(COLL, slot[i*K+j]-1)++ :: else fi; j++
       :: else -> break
       od;
       i++
    :: i < N && !member[i] -> i++
    :: i == N -> break
    od;
    i = 0; j = 0 } }

#define MY_OWED_(o) OWED(COLL,o)
inline release_owed() {
  do :: ANY(MY_OWED_) -> y = FIRST(MY_OWED_); release(COLL, y); w = 0 :: else -> break od;
  y = 0 }

proctype collector()
{ byte i, j, y, w, tries, cycle; bit ch, push, evident, has_weak;
  do
  :: true ->
#ifdef ADOPTION
     /* the inbox of a vacant slot is carried out under a claim, by whoever put a token there: here, all by one thread */
     if
#ifdef MUTANT_UNCLAIMED
     :: true ->
#else
     :: atomic { state[1] == VACANT -> state[1] = CLAIMED };
#endif
        do
        :: i < N && Q(1,i) -> atomic { Q(1,i)--; OWED(COLL,i)++ };
           if
           :: owner[i] == 1 -> atomic { owner[i] = 0; cand[i] = 0 };
              atomic { HELD(i); cnt[i] = cnt[i] + lcl[i] - 1; merged[i] = 1; OWED(COLL,i)--; if :: cnt[i] == 0 -> die(COLL, i) :: else fi }
           :: else
           fi
        :: i < N && !Q(1,i) -> i++
        :: i == N -> break
        od;
        i = 0;
#ifndef MUTANT_UNCLAIMED
        state[1] = VACANT
     :: state[1] != VACANT
#endif
     fi;
     release_owed();
#endif
     if :: cycle == CYCLES -> break :: else -> cycle++ fi;

     /* P1, the estimate, may guess anything. */
     atomic { i = 0; committed = 0;
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
       od;
       i = 0 };

     mark();
     i = 0; d_step { i = 0; do :: i < N -> guess[i] = member[i]; i++ :: else -> break od; i = 0 };
#if defined(MUTANT_G1_MEMBARRIER_ONLY)
     membarrier();
#elif !defined(MUTANT_NO_G1)
     grace_period();
#endif
#ifdef MUTANT_COUNTS_BEFORE_EDGES
     note_counts(); note_edges();
#else
     note_edges(); note_counts();
#endif
     drop_unaccounted();
     unmark();

#if !defined(MUTANT_NO_G2) && !defined(VARIANT_NO_G2)
     membarrier();
#endif
     drop_touched();
#if WEAK
     do
     :: has_weak && tries < TRIES ->
        atomic { verdict = OPEN; tries++ };
#ifdef MUTANT_VERDICT_MEMBARRIER_ONLY
        membarrier();
#else
        grace_period();
#endif
        drop_touched();
#ifdef MUTANT_SET_ASIDE_BEFORE_COMMIT
        set_aside();
#endif
#ifdef MUTANT_NO_VERDICT
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
        i = 0; d_step { i = 0; do :: i < N -> if :: HAS_WEAK(i) -> member[i] = 0 :: else fi; i++ :: else -> break od; i = 0; T_ = 0; c_code { fixpoint(); } };
        unmark()
#endif
     :: !has_weak -> atomic { commit() }; break
     od;
#else
     atomic { commit() };
#endif

#ifdef REACH_PAIR
     REACHED(member[0] && member[1] && finished < MUTATORS);
#endif
#if FINALIZERS && !defined(MUTANT_SET_ASIDE_BEFORE_COMMIT)
     set_aside();
#endif
#ifdef REACH_THE_REST_GOES
     REACHED(chosen[1] && member[0]);
#endif
     seal();
     free_members();
     release_owed();
#if FINALIZERS
     i = 0; d_step { i = 0; do :: i < N -> if :: chosen[i] && !ran[i] -> DUE(3,i) = 1 :: else fi; i++ :: else -> break od; i = 0 };
#endif
     i = 0; d_step { i = 0; tries = 0; has_weak = 0;
       do :: i < N -> member[i] = 0; guess[i] = 0; noted[i] = 0; doomed[i] = 0; edge[i*K] = 0; edge[i*K+1] = 0; i++ :: else -> break od;
       i = 0 }
  od;
  collected = 1;
  i = 0; d_step { finished == MUTATORS && !buf0[1] && !buf0[2] && !buf0[3] -> c_code { wrong = at_rest(); }; assert(wrong == 0) }
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
    fi;
    start(0, who0, n0); start(1, who1, n1);
#if N > 2
    owner[2] = 1; lcl[2] = 1; lmem[2] = 1;
    if :: slot[K] == 0 -> slot[K] = 3 :: HAND(1,2) = 1 fi;                                 /* 1 -> 2, or 1 holds 2 */
#endif
    anchor[0] = HAS_WEAK(0); anchor[1] = HAS_WEAK(1);
    who0 = 0; who1 = 0; n0 = 0; n1 = 0;
    run mutator(1, OPS1); run mutator(2, OPS2);
#if FINALIZERS
    run mutator(3, OPS3);
#elif defined(ADOPTION)
    run mutator(1, OPS3);
#endif
#ifdef BUFFERS
    run buffer(1); run buffer(2);
#if FINALIZERS
    run buffer(3);
#endif
#endif
    run collector()
  }
}
