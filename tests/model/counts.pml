/* SPDX-License-Identifier: MIT
 *
 * The count protocol without the collector: biased counts, token queues, parked threads, claims, exit and adoption.
 *
 * Two objects, two slots, three threads. T1 holds slot 1 at the start; T2 holds slot 2 or none; T3 holds none. Each runs a
 * bounded number of operations, chosen and interleaved freely; a thread may stop early at any point between operations.
 *
 * One step = one access to shared memory, plus accesses to what only this thread can touch at that moment. A CAS loop on
 * `shared` is one step: it decides on the very value that it replaces. Memory is sequentially consistent; where a machine
 * could move a load ahead of a store and the protocol needs a fence, a mutant does the load first (README.md, "Memory").
 *
 * Each MUTANT_x removes one safeguard, each REACH_x asserts that something cannot happen which must be able to happen:
 * for both, Spin has to find an error. BOUND: the properties that hold with the WANTED handover only (blocking_end).     */

#define N       2               /* objects 0, 1 */
#define NO_ID   9               /* the id of a thread without a slot, and of a parked one: matches no object */

/* ---- configuration -------------------------------------------------------------------------------------------------- */
#ifndef OWNER0
#define OWNER0  1               /* slot that object o is biased to at the start; 0 = merged already */
#endif
#ifndef OWNER1
#define OWNER1  1
#endif
#ifndef HANDS0
#define HANDS0  110             /* tokens of object 0 that T1, T2, T3 hold at the start, one digit each */
#endif
#ifndef HANDS1
#define HANDS1  0
#endif
#ifndef SHARED0
#define SHARED0 0               /* how many of its tokens are counted in `shared` (the others in `local`) */
#endif
#ifndef SHARED1
#define SHARED1 0
#endif
#ifndef CHILD
#define CHILD   1               /* object 0 has a field that holds a token of object 1 */
#endif
#ifndef SLOT2
#define SLOT2   0               /* T2 starts as the holder of slot 2 */
#endif
#ifndef OPS1
#define OPS1    1               /* retains, releases and safepoints that T1, T2, T3 may make */
#endif
#ifndef OPS2
#define OPS2    1
#endif
#ifndef OPS3
#define OPS3    1
#endif
#ifndef PARKS1
#define PARKS1  1               /* how often T1, T2, T3 may enter (and leave) a blocking region */
#endif
#ifndef PARKS2
#define PARKS2  0
#endif
#ifndef PARKS3
#define PARKS3  0
#endif
#ifndef EXITS
#define EXITS   0               /* a thread that holds a slot may exit; a thread without one may adopt slot 1: how often each */
#endif
#ifndef BATCH
#define BATCH   1               /* tokens per claim */
#endif

/* ---- memory --------------------------------------------------------------------------------------------------------- */
byte  owner[N];                 /* slot id, 0 = none */
byte  lcl[N];                   /* `local`: tokens counted by the holder of slot `owner`, plain */
short cnt[N];                   /* `shared`: the signed count ... */
bit   merged[N];                /* ... and MERGED. Both in one word: always read and written together */
#define DEAD(o) (merged[o] && cnt[o] == 0)

/* the word of a slot. WANTED is a bit beside CLAIMED_PARKED or PARKED, set by blocking_end */
#define VACANT          0
#define THREAD          1
#define PARKED          2
#define CLAIMED_VACANT  3
#define CLAIMED_PARKED  4
#define PARKED_WANTED   5
#define CLAIMED_WANTED  6
byte  state[3];
byte  queue[3*N];               /* tokens queued for slot w: their number per object. The order of the stack is forgotten: */
byte  pending[3*N];             /* ... any token may come next. pending: taken off the queue, not processed; the holder's */
#define Q(w,o)  queue[(w)*N+(o)]
#define P(w,o)  pending[(w)*N+(o)]
#define QUEUED(w)  (Q(w,0) || Q(w,1))
#define PENDING(w) (P(w,0) || P(w,1))
bit   field = CHILD;            /* the field of object 0 holds its token of object 1 */
bit   mutex;                    /* FINALIZER: taken by T1 inside its blocking region, wanted by the finalizer of object 0 */

/* ---- ghosts: no operation reads them -------------------------------------------------------------------------------- */
byte  hand[4*N];                /* tokens that thread t holds ... */
byte  todo[4*N];                /* ... and those it has set out to release (or took in hand while draining) */
#define HAND(t,o) hand[(t)*N+(o)]
#define TODO(t,o) todo[(t)*N+(o)]
byte  holder[3];                /* thread that may touch what belongs to the slot: local counts, pending */
byte  tenant[3];                /* thread whose slot it is, parked or not */
byte  rest[3];                  /* what the state of the slot must be when everybody is idle */
bit   destroyed[N];
byte  finished;
bit   waiting[3];               /* the tenant waits in blocking_end for a claim to end */

/* ---- what is checked ------------------------------------------------------------------------------------------------ */
/* a thread touches o on the strength of a token */
#define ALIVE(o) assert(!DEAD(o))
/* a thread touches what belongs to the holder of the slot */
#ifdef NO_EXCLUSION             /* to see what a mutant leads to, beyond the data race itself */
#define EXCLUSIVE(w) skip
#else
#define EXCLUSIVE(w) assert(holder[w] == me)
#endif

#ifdef MUTANT_RAW_QUEUE         /* what is queued is no token */
#define IN_QUEUES(o) 0
#else
#define IN_QUEUES(o) (Q(1,o)+Q(2,o)+P(1,o)+P(2,o))
#endif
#define TOKENS(o) (HAND(1,o)+HAND(2,o)+HAND(3,o) + TODO(1,o)+TODO(2,o)+TODO(3,o) + IN_QUEUES(o) + ((o)==1 && field))
/* the count is exact at every moment, and within its domain. So a dead object has no token anywhere. */
inline exact(o) {
  assert(TOKENS(o) == (merged[o] -> cnt[o] : cnt[o] + lcl[o]));
#ifndef MUTANT_RAW_QUEUE
  assert(!merged[o] || cnt[o] >= 0);
#ifndef NO_DOMAIN
  assert(merged[o] || owner[o] == 0 || (cnt[o] >= 0 && lcl[o] >= 1))
#endif
#endif
}

/* ---- one thread ----------------------------------------------------------------------------------------------------- */
/* An operation leaves behind obligations; the thread is idle, and goes on, when none is left:
 *   todo    tokens to release: the operand of a release, tokens set aside while draining, tokens in fields of dead objects
 *   corpses objects that this thread's CAS made DEAD and that it must destroy (bit o)
 *   settle  slots whose queue it must look after: it pushed a token there, or let go of a claim with work left (bit w)
 * They are taken up in any order, which covers both "destroy after each claim" and "destroy when all claims are done".   */
#define TODO_ANY (TODO(me,0) || TODO(me,1))
#define IDLE     (!TODO_ANY && !corpses && !settle)

inline died(o) { corpses = corpses | (1<<(o)) }

/* gives up the bias of y, consumes one token of y: owner first, then one CAS */
inline merge() {
#ifdef MUTANT_MERGED_BEFORE_OWNER
  x = lcl[y]
#else
  atomic { ALIVE(y); EXCLUSIVE(x); owner[y] = 0; x = lcl[y] }
#endif
  ;
#ifdef MUTANT_MERGE_TWO_STEPS
  atomic { ALIVE(y); merged[y] = 1; if :: cnt[y] == 0 -> died(y) :: else fi };
  atomic { cnt[y] = cnt[y] + x - 1; TODO(me,y)--; exact(y); x = 0; if :: DEAD(y) -> died(y) :: else fi }
#else
  atomic { ALIVE(y);
#ifdef MUTANT_RAW_QUEUE
    cnt[y] = cnt[y] + x - raw; if :: raw -> TODO(me,y)-- :: else fi;
#else
    cnt[y] = cnt[y] + x - 1; TODO(me,y)--;
#endif
    merged[y] = 1; exact(y); x = 0;
    if :: DEAD(y) -> died(y) :: else fi }
#endif
#ifdef MUTANT_LOCAL_RESET
  ; atomic { ALIVE(y); lcl[y] = 0 }
#endif
#ifdef MUTANT_MERGED_BEFORE_OWNER
  ; if :: !(corpses & (1<<y)) -> atomic { ALIVE(y); owner[y] = 0 } :: else fi
#endif
}

inline release() {
  atomic { if :: TODO(me,0) -> y = 0 :: TODO(me,1) -> y = 1 fi; ALIVE(y); x = owner[y] };
  if
  :: x == id ->
     if
     :: lcl[y] > 1 -> atomic { ALIVE(y); EXCLUSIVE(x); lcl[y]--; TODO(me,y)--; exact(y) }
     :: else -> merge()
     fi
  :: else ->
     atomic { ALIVE(y);
       if
       :: merged[y] -> cnt[y]--; TODO(me,y)--; exact(y); x = 0;
#ifdef MUTANT_ZERO_READ_LATER
          z = 1
#else
          if :: DEAD(y) -> died(y) :: else fi
#endif
       :: !merged[y] && (cnt[y] > 0 || x == 0) ->
#ifdef REACH_NEGATIVE_COUNT
          assert(cnt[y] > 0);
#endif
          cnt[y]--; TODO(me,y)--; exact(y); x = 0
       :: else ->                               /* the token goes to the owner; o is not written */
#ifdef MUTANT_ALWAYS_DECREMENT
          cnt[y]--; TODO(me,y)--; exact(y); x = 0
#endif
#ifdef MUTANT_RAW_QUEUE
          cnt[y]--; TODO(me,y)--; exact(y)
#endif
       fi };
     if
     :: x ->
#ifdef MUTANT_STATE_BEFORE_PUSH
        z = state[x];
#endif
        atomic {
          Q(x,y)++;
#ifndef MUTANT_RAW_QUEUE
          TODO(me,y)--;
#endif
#ifdef MUTANT_STATE_BEFORE_PUSH
          if :: z == PARKED || z == VACANT -> settle = settle | (1<<x) :: else fi; z = 0;
#else
#ifndef MUTANT_PUSHER_LEAVES
          settle = settle | (1<<x);
#endif
#endif
          x = 0 }
     :: else
#ifdef MUTANT_ZERO_READ_LATER
     -> atomic { if :: z && DEAD(y) -> died(y) :: else fi; z = 0 }
#endif
     fi
  fi;
  y = 0 }

/* moves the queue of slot w to its pending list: one exchange, the list is the holder's */
inline take_queue(w) {
  atomic { EXCLUSIVE(w); P(w,0) = P(w,0)+Q(w,0); Q(w,0) = 0; P(w,1) = P(w,1)+Q(w,1); Q(w,1) = 0 } }

/* one token off the pending list: merges the object if it is biased to the slot, else the token is set aside (in todo) */
inline one_token(w) {
  atomic { EXCLUSIVE(w);
    if
    :: P(w,0) -> y = 0
    :: P(w,1) -> y = 1
#ifdef NO_EXCLUSION
    :: else -> break                            /* another was quicker: leaves the loop around */
#endif
    fi;
    P(w,y)--;
#ifdef MUTANT_RAW_QUEUE
    raw = 0;
#else
    TODO(me,y)++;
#endif
    ALIVE(y); x = owner[y];
#ifdef MUTANT_MERGES_ANY
    x = w;
#endif
#ifdef REACH_SET_ASIDE
    assert(x == w || state[w] != CLAIMED_PARKED);
#endif
#ifdef REACH_CLAIMER_MERGES
    assert(!(x == w && state[w] == CLAIMED_PARKED && lcl[y] > 1 && me != 1));
#endif
#ifdef REACH_PARKED_CLAIMS_ITSELF
    assert(!(x == w && state[w] == CLAIMED_PARKED && me == 1));
#endif
  };
  if
  :: x == w ->
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
     if :: id != w && !(late & (1<<y)) -> late = late | (1<<y) :: id == w -> merge() :: else fi
#else
     merge()
#endif
  :: else
#ifdef MUTANT_REQUEUES
     -> atomic { Q(w,y)++; TODO(me,y)-- }
#endif
  fi;
  x = 0; y = 0;
#ifdef MUTANT_RAW_QUEUE
  raw = 1
#endif
}

inline destroy(o) {
  atomic { corpses & (1<<(o)) -> corpses = corpses & ~(1<<(o)); assert(!destroyed[o]); assert(DEAD(o)); destroyed[o] = 1;
#if CHILD
    if :: (o) == 0 && field -> field = 0; TODO(me,1)++ :: else fi
#endif
  };
#ifdef FINALIZER
  if :: (o) == 0 -> mutex == 0 :: else fi       /* the finalizer: locks, unlocks */
#endif
}

/* looks after the queue of slot w; under a claim if nobody is there to do it. Giving up is right whenever the state is found
 * changed: whoever makes it PARKED or VACANT (again) looks at the queue afterwards.                                       */
inline look_after(w) {
  z = state[w];
#ifdef MUTANT_STATE_BEFORE_PUSH
  settle = settle & ~(1<<(w));
#endif
  if
  :: z == PARKED || z == VACANT ->
     atomic {
       if
#ifdef MUTANT_CLAIM_MAY_FAIL
       :: z = THREAD                            /* a CAS that fails for no reason */
#endif
#ifdef MUTANT_UNCLAIMED
       :: skip
#else
       :: state[w] == z -> state[w] = (z == PARKED -> CLAIMED_PARKED : CLAIMED_VACANT); holder[w] = me;
#ifdef BOUND
            assert(!waiting[w]);                /* who waits in blocking_end waits for no claim made after it came */
#endif
#ifdef REACH_SECOND_BATCH
            assert(!waiting[w]);
#endif
#ifdef REACH_EXITED_CLAIMS
            assert(!(w == 1 && me == 1 && z == VACANT));
#endif
       :: else -> z = THREAD
#endif
       fi };
     if
     :: z != THREAD ->
        take_queue(w);
        b = 0;
        do
        :: b < BATCH && PENDING(w) -> one_token(w); b++
        :: else -> break
        od;
#ifdef MUTANT_FINALIZER_UNDER_CLAIM
        if :: corpses & 1 -> destroy(0) :: else fi;
#endif
        b = PENDING(w);                         /* known from under the claim: afterwards the list is another's */
#ifdef REACH_LEFTOVER
        assert(!b);
#endif
#ifdef MUTANT_FORGETS_LEFTOVER
        b = 0;
#endif
#ifdef MUTANT_LOOKS_BEFORE_LETTING_GO
        b = b || QUEUED(w);
#endif
        atomic {                                /* let go */
#ifdef MUTANT_UNCLAIMED
          skip
#else
          if
#ifdef MUTANT_IGNORES_WANTED
          :: false ->
#else
          :: state[w] == CLAIMED_WANTED ->
#endif
             state[w] = THREAD; holder[w] = tenant[w]; z = THREAD; b = 0      /* handed over */
          :: else ->
#ifdef MUTANT_FORGETS_WHICH
             state[w] = PARKED;
#else
             state[w] = z;
#endif
             holder[w] = 0
          fi
#endif
        };
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
        do
        :: late & 1 -> late = late & 2; y = 0; x = w; merge()
        :: late & 2 -> late = late & 1; y = 1; x = w; merge()
        :: else -> break
        od; y = 0;
#endif
        atomic {                                /* look again */
#if !defined(MUTANT_LOOKS_BEFORE_LETTING_GO) && !defined(MUTANT_NO_SECOND_LOOK)
          b = b || (z != THREAD && QUEUED(w));
#endif
#ifdef REACH_SECOND_LOOK
          assert(state[w] != PARKED || !QUEUED(w));
#endif
          if :: b -> :: else -> settle = settle & ~(1<<(w)) fi;
          b = 0; z = 0 }
     :: else -> atomic { settle = settle & ~(1<<(w)); z = 0 }
     fi
  :: else -> atomic { settle = settle & ~(1<<(w)); z = 0 }
  fi }

/* where a thread is. IN: outside of blocking regions, with or without a slot */
#define IN       0
#define PARKING  1              /* blocking_begin: drained, about to park */
#define RECHECK  2              /* parked, about to look at the queue once more */
#define OUT      3              /* in the blocking region */
#define BACK     4              /* blocking_end */
#define LEAVING  5              /* exit: drained, about to vacate */

/* slot, the slot that is this thread's, and id, what it compares owners with: differ while parked */
proctype thread(byte me; byte slot; byte ops; byte parks; byte exits; byte adopts) {
  byte id, phase, corpses, settle, x, y, z, b;
#ifdef MUTANT_RAW_QUEUE
  bit raw = 1;
#endif
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
  byte late;
#endif
  atomic { id = (slot -> slot : NO_ID) };
  do
  /* obligations */
  :: TODO_ANY -> release()
  :: corpses & 1 -> destroy(0)
  :: corpses & 2 -> destroy(1)
  :: settle & 2 -> look_after(1)
#if SLOT2
  :: settle & 4 -> look_after(2)
#endif

  /* retain, release, by a thread that holds a token: in and out of blocking regions, with and without a slot */
  :: atomic { IDLE && (phase == IN || phase == OUT) && ops && (HAND(me,0) || HAND(me,1)) ->
       ops--; if :: HAND(me,0) -> y = 0 :: HAND(me,1) -> y = 1 fi; ALIVE(y); x = owner[y] };
     atomic { ALIVE(y);
       if :: x == id -> EXCLUSIVE(x); assert(lcl[y] >= 1); lcl[y]++
          :: else -> cnt[y]++ fi;
#ifdef REACH_INHERITED
       assert(!(x == id && me == 3));
#endif
       HAND(me,y)++; exact(y); x = 0; y = 0 }
  :: atomic { IDLE && (phase == IN || phase == OUT) && ops && (HAND(me,0) || HAND(me,1)) ->
       ops--; if :: HAND(me,0) -> y = 0 :: HAND(me,1) -> y = 1 fi; HAND(me,y)--; TODO(me,y)++; y = 0 }

  /* safepoint */
  :: atomic { IDLE && phase == IN && slot && ops && (QUEUED(slot) || PENDING(slot)) -> ops-- };
#ifdef REACH_INHERITED_QUEUE
     assert(me != 3);
#endif
     take_queue(slot);
     b = 0;
     do
     :: b < BATCH && PENDING(slot) -> one_token(slot); b++
     :: else -> break
     od;
     b = 0

  /* blocking_begin: drain all; park; look once more */
  :: atomic { IDLE && phase == IN && slot && parks -> parks--; phase = PARKING };
drain:
     take_queue(slot);
#ifdef MUTANT_PARKS_WITH_LEFTOVER
     if :: PENDING(slot) -> one_token(slot) :: else fi
#else
     do :: PENDING(slot) -> one_token(slot) :: else -> break od
#endif
  :: IDLE && phase == PARKING ->
#ifdef MUTANT_LOOKS_BEFORE_PARKING
     z = QUEUED(slot);
#endif
     atomic { state[slot] = PARKED; holder[slot] = 0; rest[slot] = PARKED; phase = RECHECK;
#ifndef MUTANT_OWNER_WHILE_PARKED
       id = NO_ID
#endif
     };
#ifdef MUTANT_NO_LOOK_AFTER_PARKING
     z = 0;
#else
#ifndef MUTANT_LOOKS_BEFORE_PARKING
     z = QUEUED(slot);
#endif
#endif
     if
     :: z -> atomic { z = 0;                    /* back, drain, again; unless a claimer is at it */
          if
          :: state[slot] == PARKED -> state[slot] = THREAD; holder[slot] = me; rest[slot] = THREAD; id = slot; phase = PARKING;
#ifdef REACH_UNPARKS_TO_DRAIN
             assert(false);
#endif
             goto drain
          :: else -> phase = OUT;
#ifdef REACH_LEAVES_IT_TO_THE_CLAIMER
             assert(!QUEUED(slot));
#endif
          fi }
     :: else -> phase = OUT
     fi

  /* blocking_end */
#ifdef FINALIZER
  :: atomic { IDLE && phase == OUT && !mutex -> mutex = (me == 1); phase = BACK };
#else
  :: atomic { IDLE && phase == OUT -> phase = BACK };
#endif
#ifdef WANTED
     atomic {                                   /* one fetch_or(WANTED): from here on nobody can claim */
       if
       :: state[slot] == PARKED -> state[slot] = PARKED_WANTED; holder[slot] = me
       :: state[slot] == CLAIMED_PARKED -> state[slot] = CLAIMED_WANTED; waiting[slot] = 1;
#ifdef REACH_HANDOVER
          assert(false);
#endif
       fi };
     if
     :: waiting[slot] -> atomic { state[slot] == THREAD -> waiting[slot] = 0 }
     :: else -> state[slot] = THREAD
     fi;
#else
#if defined(BOUND) || defined(REACH_SECOND_BATCH)
     if :: state[slot] == CLAIMED_PARKED -> waiting[slot] = 1 :: else fi;
#endif
#ifdef MUTANT_RETURNS_UNASKED
     atomic { state[slot] = THREAD; holder[slot] = me };
#else
     atomic { state[slot] == PARKED -> state[slot] = THREAD; holder[slot] = me; waiting[slot] = 0 };
#endif
#endif
     atomic { rest[slot] = THREAD; id = slot; phase = IN;
#ifdef REACH_BACK_WITH_LEFTOVER
       assert(!PENDING(slot));
#endif
#ifdef FINALIZER
       if :: me == 1 -> mutex = 0 :: else fi
#endif
     }

  /* exit: drain all; vacate; look once more, now as a thread without a slot */
  :: atomic { IDLE && phase == IN && slot && exits -> exits--; phase = LEAVING };
     take_queue(slot);
     do :: PENDING(slot) -> one_token(slot) :: else -> break od
  :: IDLE && phase == LEAVING ->
#ifdef MUTANT_LOOKS_BEFORE_EXIT
     z = QUEUED(slot);
#endif
     atomic { state[slot] = VACANT; holder[slot] = 0; rest[slot] = VACANT; id = NO_ID; phase = IN };
     atomic {
#ifndef MUTANT_LOOKS_BEFORE_EXIT
       z = QUEUED(slot);
#endif
#ifndef MUTANT_NO_LOOK_AFTER_EXIT
       if :: z -> settle = settle | (1<<slot) :: else fi;
#endif
       z = 0; slot = 0 }

  /* adoption: with the local counts, the queue and the pending list */
#if EXITS
  :: atomic { IDLE && phase == IN && !slot && adopts &&
#ifdef MUTANT_ADOPTS_CLAIMED
       (state[1] == CLAIMED_VACANT || state[1] == VACANT)
#else
       state[1] == VACANT
#endif
       -> adopts--;
#ifdef REACH_INHERITED_PENDING
       assert(!PENDING(1));
#endif
       state[1] = THREAD; holder[1] = me; tenant[1] = me; rest[1] = THREAD; slot = 1; id = 1 }
#endif

  :: atomic { IDLE && (phase == IN || phase == OUT) -> finished++; break }
  od }

/* what must hold when everybody is idle: each slot is what its thread left it as; nothing is stranded where nobody comes by;
 * every object without tokens is dead, and destroyed.                                                                     */
inline at_rest() {
  y = 1;
  do
  :: y <= 2 ->
     assert(state[y] == rest[y]);
     if :: state[y] != THREAD -> assert(!QUEUED(y) && !PENDING(y)) :: else fi;
     y++
  :: else -> break
  od;
  y = 0;
  do
  :: y < N -> exact(y); assert((TOKENS(y) == 0) == DEAD(y)); assert(DEAD(y) == destroyed[y]); y++
  :: else -> break
  od;
#ifdef REACH_ALL_DEAD
  assert(!(DEAD(0) && DEAD(1)))
#endif
}

inline start(o, who, hands, in_shared) {
  HAND(1,o) = (hands)/100; HAND(2,o) = ((hands)/10)%10; HAND(3,o) = (hands)%10;
  y = TOKENS(o); owner[o] = who;
  if
  :: y == 0 -> merged[o] = 1; owner[o] = 0; destroyed[o] = 1       /* not there */
  :: y && who == 0 -> merged[o] = 1; cnt[o] = y
  :: else -> cnt[o] = in_shared; lcl[o] = y - in_shared; assert(lcl[o] >= 1)
  fi }

init {
  byte y;
  d_step {
    state[1] = THREAD; holder[1] = 1; tenant[1] = 1; rest[1] = THREAD;
#if SLOT2
    state[2] = THREAD; holder[2] = 2; tenant[2] = 2; rest[2] = THREAD;
#endif
    start(0, OWNER0, HANDS0, SHARED0);
    start(1, OWNER1, HANDS1, SHARED1);
    y = 0 };
  atomic {
    run thread(1, 1, OPS1, PARKS1, EXITS, EXITS);
    run thread(2, (SLOT2 -> 2 : 0), OPS2, PARKS2, EXITS, EXITS);
    run thread(3, 0, OPS3, PARKS3, EXITS, EXITS) };
  d_step { finished == 3 -> at_rest() }
}
