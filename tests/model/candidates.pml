/* SPDX-License-Identifier: MIT
 *
 * Collections of generation 2 that look only at what can have become garbage (docs/design/candidates.md): whether they find all the
 * garbage that there is. What each property and reduction means: README.md.
 *
 * N objects with K slots each, two mutators that run a bounded number of operations, the collector, and the memory, which carries out
 * the mutators' plain stores some time later. The collector makes CYCLES collections beside the mutators, and one more when they are done.
 *
 * What stands for what:
 *   tell                 oi_hint; the store to `loss`: oi_hints_are_lost
 *   set, give            ouro_set; move_in() in object/slot.c, that is ouro_give and ouro_swap; take: ouro_take; the exchange: exchange()
 *   publish              oi_publish
 *   release              oi_release, and oi_destroy_run with hint_and_release_ref
 *   begin                oi_scope_open, which empties `recent`; take_all_hints
 *   choose               include_recent, check_roots
 *   look                 look_at and follow; when everything is looked at, oi_estimate
 *   spare                oi_estimate_finish
 *   validate             P2 to P5, of which validation.pml is the model: here, it knows the truth, and drops what it cannot free
 *   free                 oi_reclaim_free, with release_outside
 *   remember             oi_candidates_remember
 *   young                a collection of generation 1
 *
 * Each MUTANT_x removes one safeguard, each REACH_x asserts that something cannot happen which must be able to happen: for both, Spin has
 * to find an error. Each VARIANT_x leaves out or changes what is no safeguard.                                                   */

/* ---- configuration -------------------------------------------------------------------------------------------------- */
#ifndef N
#define N          3            /* objects; 2 or 3 */
#endif
#ifndef K
#define K          1            /* slots of each */
#endif
#ifndef OPS1
#define OPS1       2            /* operations of mutators 1 and 2 */
#endif
#ifndef OPS2
#define OPS2       1
#endif
#ifndef CYCLES
#define CYCLES     1            /* collections beside the mutators */
#endif
#ifndef GRAPH
#define GRAPH      0            /* the graph at the start, see init; 0: any of them */
#endif
#ifndef KNOWN
#define KNOWN      1            /* a collection before the start has left everything known; 0: the first one looks at everything */
#endif
/* SPURIOUS    at the start all objects may have hints, and the first page may be recent
 * YOUNG       collections of generation 1 come in between
 * ONE_PAGE    all objects are on one page; else each is on its own
 * SETS, GIVES, RELEASES, GETS: only these operations (and publications)                                                          */
#if !defined(SETS) && !defined(GIVES) && !defined(RELEASES) && !defined(GETS)
#define SETS
#define GIVES
#define RELEASES
#define GETS
#endif

#define ALL        ((1 << N) - 1)
#define B(o)       (1 << (o))
#define HAS(m,o)   (((m) >> (o)) & 1)
#ifdef ONE_PAGE
#define P(o)       0             /* the page of o */
#define ON(p)      ALL           /* what is on page p */
#else
#define P(o)       (o)
#define ON(p)      B(p)
#endif

/* ---- memory --------------------------------------------------------------------------------------------------------- */
byte  slot[N*K];                /* object + 1, 0 = NULL */
byte  cnt[N];                   /* references to the object */
byte  hand[2*N];                /* those that mutator t has outside the heap, or at hand in an operation */
byte  pub = ALL;                /* PUBLISHED: a bit per object, as in all that follow */
byte  dead;                     /* DEAD; the slots of such an object are no edges */
byte  hint;                     /* its line of the segment's hints */
byte  recent;                   /* a bit per page: OI_RECENT ... */
byte  old;                      /* ... OI_RECENT_OLD */
bit   loss;                     /* oi_hint_loss */
byte  epoch;                    /* oi_hint_epoch */
short buf[2];                   /* stores that a mutator has made and that are not there yet: of 1 each, so they need no order; bits as below */
#define HINT(o)    B(o)
#define RECENT(o)  B(N+P(o))
#define PUB(o)     B(2*N+(o))
#define LOSS       B(3*N)

/* ---- the mutators' own --------------------------------------------------------------------------------------------------- */
byte  ops[2];
byte  busy;                     /* bit t: in an operation */
bit   broken;                   /* the first violation was the model's: counts */

/* ---- the collector's own --------------------------------------------------------------------------------------------------- */
bit   known = KNOWN;
byte  root, rootc[N];           /* roots, and the counts that are remembered */
byte  was_recent, looked, member, gray;
byte  n[N];                     /* the count that the collection has read */
short est[N];
byte  must;                     /* garbage when the collection began */
byte  garbage;                  /* the truth, when asked for */
byte  zeros;                    /* the collector's stores of 0 to hints, and of the epoch (bit N), that are not there yet */

#define EDGES(o)   (!HAS(dead, o))

/* What is published, not dead, and nobody can reach. Private garbage is for its thread's young collection. */
inline find_garbage() {
  d_step {
    garbage = 0; i = 0;
    do :: i < N -> garbage = garbage | (hand[i] || hand[N+i] || !HAS(pub, i) -> B(i) : 0); i++ :: else -> break od;
    r = 0;
    do
    :: r < N ->
       i = 0;
       do
       :: i < N*K ->
          if :: slot[i] && HAS(garbage, i/K) && EDGES(i/K) -> garbage = garbage | B(slot[i]-1) :: else fi;
          i++
       :: else -> break
       od;
       r++
    :: else -> break
    od;
    garbage = ALL & ~garbage & ~dead;
    i = 0; r = 0
  }
}

/* All that thread t has stored is there: what an atomic read-modify-write does that releases, and what a barrier does to each thread. */
inline flush(t) {
  hint = hint | (buf[t] & ALL);
  recent = recent | ((buf[t] >> N) & ALL);
  old = old & ~((buf[t] >> N) & ALL);
  pub = pub | ((buf[t] >> (2*N)) & ALL);
  loss = loss || (buf[t] >> (3*N));
  buf[t] = 0
}

/* ---- mutators ------------------------------------------------------------------------------------------------------- */
inline store(what) { buf[t] = buf[t] | (what) }
inline tell(o) {
  atomic {
    assert(!HAS(dead, o));
    if :: HAS(hint, o) :: else -> store(HINT(o)) fi
  }
}

#define SEES_PUB(o) (HAS(pub, o) || (buf[t] & PUB(o)))

/* Publishes o and what it refers to. */
inline publish(o) {
  work = B(o);
  do
  :: work ->
     atomic { p = (work & 1 -> 0 : (work & 2 -> 1 : 2)) }
#ifdef MUTANT_RECENT_BEFORE_PUBLISHED
     atomic { if :: HAS(recent, P(p)) :: else -> store(RECENT(p)) fi }
     atomic { store(PUB(p)) }
#else
     atomic { store(PUB(p)) }
#ifndef MUTANT_NO_RECENT
     atomic {
#ifdef REACH_RECENT_ALREADY
       assert(!HAS(recent, P(p)));
#endif
       if :: HAS(recent, P(p)) :: else -> store(RECENT(p)) fi
     }
#endif
#endif
     atomic {
       k = 0;
       do
       :: k < K ->
          if :: slot[p*K+k] && !SEES_PUB(slot[p*K+k]-1) -> work = work | B(slot[p*K+k]-1) :: else fi;
          k++
       :: else -> break
       od;
       work = work & ~B(p); p = 0; k = 0
     }
  :: else -> break
  od
}

/* Drops a reference that the thread has; what dies by it is destroyed. */
inline drop_one(o) {
  assert(!HAS(dead, o) && hand[t*N+(o)] && cnt[o]);
  hand[t*N+(o)]--; cnt[o]--;
  if
  :: cnt[o] == 0 ->
     dead = dead | B(o); work = work | B(o);
     k = 0;
     do :: k < K -> if :: slot[(o)*K+k] -> hand[t*N+slot[(o)*K+k]-1]++ :: else fi; k++ :: else -> break od;
     k = 0
  :: else
  fi
}
inline release(o) {
  atomic { drop_one(o) }
  do
  :: work ->
     atomic { p = (work & 1 -> 0 : (work & 2 -> 1 : 2)); q = 0 }
     do
     :: q < K ->
        if
        :: slot[p*K+q] ->
#ifndef MUTANT_NO_HINT_ON_DEATH
           if :: SEES_PUB(p) -> tell(slot[p*K+q]-1) :: else fi;
#endif
           atomic { r = slot[p*K+q]-1; drop_one(r); r = 0 }
        :: else
        fi;
        q++
     :: else -> break
     od;
     atomic { work = work & ~B(p); p = 0; q = 0 }
  :: else -> break
  od
}

/* An exchange in a slot of a published container: x, which is at hand, moves in, and what was there is at hand. x, e: object + 1, or 0. */
inline exchange() {
  atomic {
    flush(t);
    e = slot[at];
    slot[at] = x;
    if :: x -> hand[t*N+x-1]-- :: else fi;
    if :: e -> hand[t*N+e-1]++ :: else fi
  }
}

inline told_of_old() {
#ifndef MUTANT_NO_HINT_ON_REMOVAL
  if :: e -> tell(e-1) :: else fi
#else
  skip
#endif
}

#define HOLDS(t)   (hand[(t)*N] || hand[(t)*N+1] || hand[(t)*N+N-1])

proctype mutator(byte t) {
  byte o, x, e, at, p, q, r, k, work, seen;
  bit keep;
  do
  :: atomic {
       ops[t] && HOLDS(t) ->
       ops[t]--; busy = busy | B(t);
       if :: hand[t*N] -> o = 0 :: hand[t*N+1] -> o = 1
#if N > 2
          :: hand[t*N+2] -> o = 2
#endif
       fi;
       at = o*K;
#if K > 1
       if :: true :: at++ fi;
#endif
     }
     if
#ifdef GETS
     :: atomic {                                          /* ouro_get */
          slot[at] && SEES_PUB(o) ->
          cnt[slot[at]-1]++; hand[t*N+slot[at]-1]++
        }
#endif
#ifdef RELEASES
     :: release(o)
#endif
     :: !SEES_PUB(o) -> publish(o)                        /* ouro_share */
     :: atomic {                                          /* a store into a private container: no calls, no hints */
          !SEES_PUB(o) ->
          if :: hand[t*N] > (o == 0) -> x = 1 :: hand[t*N+1] > (o == 1) -> x = 2
#if N > 2
             :: hand[t*N+2] > (o == 2) -> x = 3
#endif
             :: slot[at] -> x = 0
          fi;
          e = slot[at]; slot[at] = x;
          if :: x -> hand[t*N+x-1]-- :: else fi;
          if :: e -> hand[t*N+e-1]++ :: else fi
        }
#ifdef SETS
     :: atomic {                                          /* ouro_set */
          SEES_PUB(o) ->
          if :: hand[t*N] -> x = 1 :: hand[t*N+1] -> x = 2
#if N > 2
             :: hand[t*N+2] -> x = 3
#endif
             :: slot[at] -> x = 0
          fi
        }
        if :: x && !SEES_PUB(x-1) -> publish(x-1) :: else fi;
        atomic { if :: x -> cnt[x-1]++; hand[t*N+x-1]++ :: else fi }
#ifdef VARIANT_HINT_BEFORE_SET
        if :: x -> tell(x-1) :: else fi;
        exchange();
#else
        exchange();
#ifndef MUTANT_NO_HINT_ON_SET
        if :: x -> tell(x-1) :: else fi;
#endif
#endif
#ifdef MUTANT_HINT_AFTER_RELEASE
        if :: e -> release(e-1) :: else fi;
        told_of_old()
#else
        told_of_old();
        if :: e -> release(e-1) :: else fi
#endif
#endif
#ifdef GIVES
     :: atomic {                                          /* ouro_give, ouro_swap; ouro_take, if x is NULL */
          SEES_PUB(o) ->
          if :: hand[t*N] -> x = 1 :: hand[t*N+1] -> x = 2
#if N > 2
             :: hand[t*N+2] -> x = 3
#endif
             :: slot[at] -> x = 0
          fi;
          if :: x -> keep = 0 :: keep = 1 fi
        }
        if
        :: x ->
           if :: !SEES_PUB(x-1) -> publish(x-1) :: else fi;
#if defined(MUTANT_HINT_AFTER_GIVE)
           exchange();
           tell(x-1);
#elif defined(MUTANT_NO_HINT_ON_GIVE)
           exchange();
#elif defined(MUTANT_EPOCH_AFTER_HINT)
           tell(x-1);
           seen = epoch;
           exchange();
#else
           seen = epoch;
           tell(x-1);
           exchange();
#endif
        :: else -> exchange()
        fi;
        told_of_old();
#ifndef MUTANT_NO_EPOCH
        atomic {
          if
          :: x && epoch != seen ->
#ifdef REACH_LOSS
             assert(false);
#endif
             store(LOSS)
          :: else
          fi
        }
#endif
        if :: e && !keep -> release(e-1) :: else fi
#endif
     :: skip                                              /* nothing */
     fi;
     atomic { o = 0; x = 0; e = 0; at = 0; seen = 0; keep = 0; busy = busy & ~B(t) }
  :: atomic { ops[t] == 0 || !HOLDS(t) -> ops[t] = 0; break }
  od
}

/* Carries out stores, in any order. */
proctype memory() {
  byte b, t;
end:
  do
  :: atomic {
       if :: buf[0] -> t = 0 :: buf[1] -> t = 1 fi;
       do :: (buf[t] >> b) & 1 -> break :: (buf[t] >> (b+1)) -> b++ od;
       buf[t] = buf[t] & ~(1 << b);
       if
       :: b < N -> hint = hint | (1 << b)
       :: b >= N && b < 2*N -> recent = recent | (1 << (b-N)); old = old & ~(1 << (b-N))
       :: b >= 2*N && b < 3*N -> pub = pub | (1 << (b-2*N))
       :: b == 3*N -> loss = 1
       fi;
       b = 0; t = 0
     }
  :: atomic { zeros & ALL -> do :: (zeros >> b) & 1 -> break :: (zeros & ALL) >> (b+1) -> b++ od; zeros = zeros & ~(1 << b); hint = hint & ~(1 << b); b = 0 }
  :: atomic { zeros == B(N) -> zeros = 0; epoch++ }       /* it releases */
  od
}

/* ---- the collector -------------------------------------------------------------------------------------------------- */
bit collecting;
#define AT_REST    (!busy && !ops[0] && !ops[1] && !buf[0] && !buf[1])

inline include(o) { if :: !HAS(looked | gray, o) -> gray = gray | B(o) :: else fi }

inline barrier() {
  atomic { hint = hint & ~zeros; epoch = epoch + (zeros >> N); zeros = 0 }
  d_step { flush(0) }
  d_step { flush(1) }
}

inline take_hints() {
  i = 0;
  do
  :: i < N ->
#ifdef MUTANT_TAKES_UNREAD
     /* the bytes are read, then all are set to 0: below */
     atomic { if :: HAS(hint, i) && follow -> include(i) :: else fi; i++ }
#else
     if
     :: atomic { HAS(hint, i) && !HAS(zeros, i) -> if :: follow -> include(i) :: else fi }
        atomic { zeros = zeros | B(i) }
     :: else
     fi;
     i++
#endif
  :: else -> break
  od;
#ifdef MUTANT_TAKES_UNREAD
  atomic { zeros = ALL }
#endif
  i = 0
}

inline pin() {
  i = 0;
  do
  :: i < N ->
     atomic { if :: HAS(recent | old, i) -> was_recent = was_recent | ON(i); recent = recent & ~B(i); old = old & ~B(i) :: else fi; i++ }
  :: else -> i = 0; break
  od
}

/* Of what validation has left, what may be freed: what is garbage, but for what others refer to. */
inline close_set(set) {
  r = 0;
  do
  :: r < N ->
     i = 0;
     do
     :: i < N*K -> if :: slot[i] && EDGES(i/K) && !HAS(set, i/K) -> set = set & ~B(slot[i]-1) :: else fi; i++
     :: else -> break
     od;
     r++
  :: else -> break
  od;
  i = 0; r = 0
}

/* Frees set: makes it DEAD, and releases what leads out of it. How: 2, generation 2. What dies by that is destroyed likewise. */
inline free_set(set, how) {
  dead = dead | set;
  gone = set;
  do
  :: gone ->
     r = (gone & 1 -> 0 : (gone & 2 -> 1 : 2));
     i = 0;
     do
     :: i < K ->
        if
        :: slot[r*K+i] && !HAS(set, slot[r*K+i]-1) ->
           j = slot[r*K+i]-1;
           assert(cnt[j] && !HAS(dead, j));
           if
           :: how == 2 && HAS(set, r) && HAS(looked, j) ->
#ifndef VARIANT_NO_UNCOUNT
              n[j] = (n[j] -> n[j]-1 : 0)
#else
              skip
#endif
           :: else ->
#ifdef MUTANT_YOUNG_LEAVES_NO_HINTS
              if :: how == 2 -> hint = hint | B(j) :: else fi
#else
              hint = hint | B(j)
#endif
           fi;
           cnt[j]--;
           if :: cnt[j] == 0 -> dead = dead | B(j); gone = gone | B(j) :: else fi;
           j = 0
        :: slot[r*K+i] && HAS(set, slot[r*K+i]-1) -> cnt[slot[r*K+i]-1]--
        :: else
        fi;
        i++
     :: else -> break
     od;
     gone = gone & ~B(r)
  :: else -> break
  od;
  i = 0; r = 0
}

inline young() {
  d_step {
    member = recent & pub & ~dead;
    old = old | recent; recent = 0;
#ifdef MUTANT_YOUNG_FORGETS_RECENT
    old = 0;
#endif
  }
  find_garbage();
  d_step {
    member = member & garbage;
    close_set(member);
    free_set(member, 1);
    member = 0
  }
}

/* One step is one access to shared memory; looking whether an object is alive and reading its count are one. */
inline collect() {
  /* What operations that are under way have made garbage is for the next one. */
  atomic {
    collecting = 1; rests = AT_REST;
    if :: !busy && !buf[0] && !buf[1] -> find_garbage(); must = garbage; garbage = 0 :: else fi
  }
  pin();
  atomic { follow = known && !loss; loss = 0; known = 0; gray = 0 }
#ifdef MUTANT_EPOCH_BEFORE_TAKING
  epoch++;
  take_hints();
#elif defined(MUTANT_TAKES_AFTER_LOOK)
  i = 0;
  do :: i < N -> atomic { if :: HAS(hint, i) && follow -> include(i) :: else fi; i++ } :: else -> i = 0; break od;
#else
  take_hints();
#endif
#if !defined(MUTANT_EPOCH_AFTER_BARRIER) && !defined(MUTANT_EPOCH_BEFORE_TAKING) && !defined(MUTANT_TAKES_AFTER_LOOK)
  atomic { zeros = zeros | B(N) }
#endif
#ifndef MUTANT_NO_BARRIER
  barrier();
#endif
#ifdef MUTANT_EPOCH_AFTER_BARRIER
  atomic { zeros = zeros | B(N) }
#endif
  if
  :: follow ->
     atomic { gray = gray | was_recent }
     do
     :: i < N ->
        if
        :: HAS(root, i) ->
           atomic {
             if
             :: HAS(dead, i) -> root = root & ~B(i)
             :: !HAS(dead, i) && cnt[i] < rootc[i] ->
#ifdef REACH_FALLEN
                assert(false);
#endif
#ifndef MUTANT_IGNORES_FALLEN
                include(i);
#endif
                root = root & ~B(i)
             :: else
             fi
           }
        :: else
        fi;
        i++
     :: else -> i = 0; break
     od
  :: else -> gray = ALL
  fi;
  /* the look */
  do
  :: gray ->
     atomic {
       o = (gray & 1 -> 0 : (gray & 2 -> 1 : 2)); gray = gray & ~B(o);
       if
       :: HAS(pub, o) && !HAS(dead, o) ->
          looked = looked | B(o); member = member | B(o); n[o] = cnt[o]; est[o] = est[o] + cnt[o]; s = 0
       :: else -> s = K
       fi
     }
     do
     :: s < K ->
        atomic {
          e = slot[o*K+s];
          if
          :: e ->
             est[e-1]--;
#ifndef MUTANT_CANDIDATES_ALONE
             include(e-1)
#endif
          :: else
          fi;
          s++; e = 0
        }
     :: else -> break
     od
  :: else -> o = 0; s = 0; break
  od;
#ifdef MUTANT_TAKES_AFTER_LOOK
  take_hints(); zeros = zeros | B(N); barrier();
#endif
  assert(!(must & ~looked));                              /* missed */
#ifdef REACH_PASSED_BY
  assert(!(follow && (pub & ~dead & ~looked)));
#endif
  /* what is referred to from elsewhere, and what that reaches, is no member */
  atomic {
    i = 0;
    do :: i < N -> if :: HAS(member, i) && est[i] > 0 -> gray = gray | B(i); member = member & ~B(i) :: else fi; i++ :: else -> i = 0; break od
  }
  do
  :: gray ->
     atomic { o = (gray & 1 -> 0 : (gray & 2 -> 1 : 2)); gray = gray & ~B(o); s = (HAS(dead, o) -> K : 0) }
     do
     :: s < K ->
        atomic {
          e = slot[o*K+s];
          if :: e && HAS(member, e-1) -> member = member & ~B(e-1); gray = gray | B(e-1) :: else fi;
          s++; e = 0
        }
     :: else -> break
     od
  :: else -> o = 0; s = 0; break
  od;
  if
  :: member -> atomic { find_garbage(); was = garbage }   /* P2 */
  :: else
  fi;
  assert(!rests || !(member & ~garbage));                 /* alive */
  atomic {
    find_garbage();
    /* What was garbage by P2 nobody touches any more; what has become it since, somebody has, or it looks as if. */
    set = member & was;
    if :: set = member & garbage :: true fi;
    close_set(set);
    i = 0;
    do
    :: i < N ->
       if
       :: HAS(member & ~set, i) ->
#ifdef REACH_DROPPED
          assert(HAS(dead, i));
#endif
          est[i] = 0;
#ifndef MUTANT_NO_HINT_ON_DROP
          hint = hint | B(i)
#else
          skip
#endif
       :: else
       fi;
       i++
    :: else -> i = 0; break
    od;
#ifdef REACH_FOUND
    assert(!(follow && set && (pub & ~dead & ~looked)));
#endif
    free_set(set, 2)
  }
  atomic {
    root = (follow -> root & ~looked : 0);
#ifdef MUTANT_FORGETS_OTHER_ROOTS
    root = 0;
#endif
    i = 0;
    do
    :: i < N ->
       if
#ifndef MUTANT_NO_ROOTS
#ifdef MUTANT_REMEMBERS_LATE_COUNT
       :: HAS(looked & ~set, i) && est[i] > 0 && !HAS(dead, i) -> root = root | B(i); rootc[i] = cnt[i]
#else
       :: HAS(looked & ~set, i) && est[i] > 0 && !HAS(dead, i) -> root = root | B(i); rootc[i] = n[i]
#endif
#endif
       :: else
       fi;
       est[i] = 0; n[i] = 0;
       if :: !HAS(root, i) -> rootc[i] = 0 :: else fi;
       i++
    :: else -> i = 0; break
    od;
#ifdef MUTANT_LOSS_ENDS_LATE
    loss = 0;
#endif
    known = 1; was_recent = 0; looked = 0; member = 0; garbage = 0; must = 0; was = 0; set = 0; gone = 0; follow = 0; rests = 0; collecting = 0
  }
}

proctype collector() {
  byte i, j, r, o, e, s, was, set, gone, cycles = CYCLES;
  bit follow, rests;
  do
  :: cycles -> cycles--; collect()
#ifdef YOUNG
  :: cycles -> cycles--; young()
#endif
  :: else -> break
  od;
  AT_REST;
  collect();
  /* at rest: it has found all garbage, whatever it was that it looked at */
  find_garbage();
  assert(garbage == 0);                                   /* left */
  d_step {
    i = 0;
    do
    :: i < N ->
       o = hand[i] + hand[N+i]; j = 0;
       do :: j < N*K -> o = o + (slot[j] == i+1 && EDGES(j/K)); j++ :: else -> break od;
       broken = broken || (!HAS(dead, i) && o != cnt[i]) || (HAS(dead, i) && hand[i] + hand[N+i]);
       i++
    :: else -> break
    od;
    i = 0; j = 0; o = 0
  }
  assert(!broken)                                         /* counts */
}

/* ---- start ---------------------------------------------------------------------------------------------------------- */
inline have(t, o) { hand[(t)*N+(o)]++ }
inline edge(from, s, to) { slot[(from)*K+(s)] = (to)+1 }
#define IS(g) (GRAPH == g || GRAPH == 0)

init {
  byte i;
  atomic {
    ops[0] = OPS1; ops[1] = OPS2;
    if
    :: IS(1) -> edge(0,0,1); edge(1,0,0); have(0,0)                          /* T1 holds 0, 0 <-> 1 */
    :: IS(2) -> edge(0,0,1); edge(1,0,0); have(0,0); have(1,1)               /* the same, and T2 holds 1 */
    :: IS(3) -> edge(0,0,1); have(0,0); have(1,0)                            /* both hold 0 -> 1 */
    :: IS(4) -> edge(0,0,0); have(0,0); have(1,0)                            /* both hold 0, which refers to itself */
    :: IS(5) -> have(0,0); have(0,1); have(1,1)                              /* no edges */
#if N > 2
    :: IS(6) -> edge(0,0,1); edge(1,0,2); edge(2,0,1); have(0,0); have(1,0)  /* 0 -> 1 <-> 2 */
    :: IS(7) -> edge(0,0,1); edge(1,0,2); edge(2,0,0); have(0,0); have(1,2)  /* three in a circle */
    :: IS(8) -> edge(0,0,1); edge(1,0,2); edge(2,0,1); have(0,0); have(1,2)  /* as 6, T2 holds 2 */
    :: IS(9) -> edge(0,0,2); edge(1,0,2); have(0,0); have(0,1); have(1,1)    /* 2 hangs on both others */
    :: IS(10) -> edge(0,0,2); edge(1,0,0); have(0,0); have(0,1); have(1,2); pub = 5 /* 1 is private, and refers to 0 */
    :: IS(11) -> edge(0,0,1); edge(1,0,0); have(0,0); have(0,2); have(1,2); pub = 4 /* 0 <-> 1 are private */
#endif
    :: IS(12) -> edge(0,0,1); edge(1,0,0); have(0,1)                         /* T1 holds 1, 0 <-> 1 */
    fi;
    if :: hand[0] -> have(0,0) :: true fi;                                  /* twice, perhaps */
    i = 0;
    do :: i < N*K -> if :: slot[i] -> cnt[slot[i]-1]++ :: else fi; i++ :: else -> break od;
    i = 0;
    do :: i < N -> cnt[i] = cnt[i] + hand[i] + hand[N+i]; dead = dead | (cnt[i] -> 0 : B(i)); i++ :: else -> break od;
#if KNOWN
    i = 0;
    do
    :: i < N -> if :: hand[i] + hand[N+i] && HAS(pub, i) -> root = root | B(i); rootc[i] = cnt[i] :: else fi; i++
    :: else -> break
    od;
#endif
#ifdef SPURIOUS
    if :: hint = ALL :: true fi;
    if :: recent = B(P(0)) :: true fi;
#endif
    i = 0;
    run mutator(0); run mutator(1); run memory(); run collector()
  }
}
