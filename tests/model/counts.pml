/* SPDX-License-Identifier: MIT
 *
 * The count protocol without the collector: biased counts, token queues, parked threads, claims, exit and adoption.
 *
 * Two objects, two slots, three threads. T1 holds slot 1 at the start; T2 holds slot 2 or none; T3 holds none. Each runs a
 * bounded number of operations, chosen and interleaved freely; a thread may stop early at any point between operations.
 * With CREDITS, T1 and T2 may take credit of object 0 (docs/design/biased-counts.md, "Credit"), and T3 may take it back.
 * With SWEEPS there is a fourth, the service: it claims slots for purposes of its own and never looks at a queue.
 *
 * One step = one access to shared memory, plus accesses to what only this thread can touch at that moment. A CAS loop on
 * `shared` is one step: it decides on the very value that it replaces. Waiting is no step at all: who waits is blocked.
 * Memory is sequentially consistent; where a machine could move a load ahead of a store and the protocol needs a fence, a
 * mutant does the load first (README.md, "Memory").
 *
 * Each MUTANT_x removes one safeguard, each REACH_x asserts that something cannot happen which must be able to happen:
 * for both, Spin has to find an error. Each VARIANT_x leaves out or changes what is no safeguard.                          */

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
#ifndef SWEEPS
#define SWEEPS  0               /* how often the service may claim a slot; 0: there is no service */
#endif
#ifndef CREDITS
#define CREDITS 0               /* how often each thread may take credit of object 0, of two references; 0: there is no credit */
#endif
#ifndef RECALLS
#define RECALLS 1               /* how often T3 may take back what another has */
#endif
#ifdef VARIANT_EARLY            /* a thread may take its slot back, or adopt one, in the middle of destroying */
#define MAY_HOLD (!settle)
#else
#define MAY_HOLD IDLE
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
byte  hand[5*N];                /* tokens that thread t holds ... */
byte  todo[5*N];                /* ... and those it has set out to release (or took in hand while draining) */
#define HAND(t,o) hand[(t)*N+(o)]
#define TODO(t,o) todo[(t)*N+(o)]
byte  holder[3];                /* thread that may touch what belongs to the slot: local counts, pending */
byte  tenant[3];                /* thread whose slot it is, parked or not */
byte  rest[3];                  /* what the state of the slot must be when everybody is idle */
bit   destroyed[N];
byte  finished;
bit   waiting[3];               /* the tenant waits in blocking_end for a claim to end */

#if CREDITS
byte  credit[4];                /* references that thread t has in its entry of object 0 ... */
bit   open[4];                  /* ... which is the object's, or closed (or there is none) */
bit   used[4];                  /* `uses` is odd: the thread is about to change its entry */
byte  lock;                     /* the credit lock: who has it */
byte  grip[4];                  /* ghost: references on their way into an entry or out of it */
#define CREDIT + credit[1]+credit[2]+credit[3] + grip[1]+grip[2]+grip[3]
#define NO_CREDIT && !credit[me]
#else
#define CREDIT
#define NO_CREDIT
#endif

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
#if SWEEPS                      /* the service never has a token, unless a mutant makes it drain */
#define SERVICE(o) + TODO(4,o)
#else
#define SERVICE(o)
#endif
#define TOKENS(o) (HAND(1,o)+HAND(2,o)+HAND(3,o) + TODO(1,o)+TODO(2,o)+TODO(3,o) + IN_QUEUES(o) + ((o)==1 && field) SERVICE(o) + ((o)==0 -> 0 CREDIT : 0))
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
 *   settle  slots that it has a duty to: it pushed a token there, found one after parking or vacating, or let go of a
 *           claim with work left (bit w)
 * They are taken up in any order, which covers both "destroy after each claim" and "destroy when all claims are done".   */
#define TODO_ANY (TODO(me,0) || TODO(me,1))
#define IDLE     (!TODO_ANY && !corpses && !settle)

/* where a duty comes from; only some mutants and reach runs ask */
#define PUSHED   1
#define FOUND    2
#define LEFT     4
#if defined(MUTANT_PUSHER_GIVES_UP) || defined(MUTANT_PARKER_GIVES_UP) || defined(MUTANT_DRAINER_GIVES_UP) || defined(REACH_PUSHER_WAITS) || defined(REACH_PARKER_WAITS) || defined(REACH_DRAINER_WAITS)
#define WHY
#define BECAUSE(r) ; why = why | r
#else
#define BECAUSE(r)
#endif
#define DUTY(w, r) settle = settle | (1<<(w)) BECAUSE(r)

/* ---- claims --------------------------------------------------------------------------------------------------------- */
#define UNATTENDED(w) (state[w] == PARKED || state[w] == VACANT)
#define CLAIMED(w)    (state[w] == CLAIMED_PARKED || state[w] == CLAIMED_VACANT)

/* z: what to put back. One step, the CAS */
inline claim(w) {
  z = state[w];
#ifndef MUTANT_UNCLAIMED
  state[w] = (z == PARKED -> CLAIMED_PARKED : CLAIMED_VACANT); holder[w] = me;
  assert(!waiting[w])                           /* who waits in blocking_end waits for no claim made after it came */
#ifdef REACH_EXITED_CLAIMS
  ; assert(!(w == 1 && me == 1 && z == VACANT))
#endif
#endif
}

/* becomes the holder of slot w if its thread is parked or gone, waiting while another claimer is. z == THREAD: no need, its
 * thread has it, or is about to. duty: why it should be done, 0 if there is no token on the queue yet                    */
inline claim_in_turn(w, duty) {
  atomic {
    if
    :: UNATTENDED(w) -> claim(w)
    :: state[w] == THREAD || state[w] == PARKED_WANTED || state[w] == CLAIMED_WANTED -> z = THREAD
#ifdef MUTANT_GIVES_UP_ITS_TURN
    :: CLAIMED(w) -> z = THREAD
#endif
#ifdef MUTANT_PUSHER_GIVES_UP
    :: CLAIMED(w) && duty == PUSHED -> z = THREAD
#endif
#ifdef MUTANT_PARKER_GIVES_UP
    :: CLAIMED(w) && duty == FOUND -> z = THREAD
#endif
#ifdef MUTANT_DRAINER_GIVES_UP
    :: CLAIMED(w) && duty == LEFT -> z = THREAD
#endif
#ifdef VARIANT_PUSHES_AT_ONCE
    :: CLAIMED(w) && duty == 0 -> z = THREAD
#endif
#ifdef REACH_WAITS_BEFORE_PUSHING
    :: CLAIMED(w) && duty == 0 -> assert(false)
#endif
#ifdef REACH_PUSHER_WAITS
    :: CLAIMED(w) && duty == PUSHED -> assert(false)
#endif
#ifdef REACH_PARKER_WAITS
    :: CLAIMED(w) && duty == FOUND -> assert(false)
#endif
#ifdef REACH_DRAINER_WAITS
    :: CLAIMED(w) && duty == LEFT -> assert(false)
#endif
#ifdef REACH_WAITS_FOR_SERVICE
    :: CLAIMED(w) && holder[w] == 4 -> assert(false)
#endif
    fi } }

/* no look at the queue afterwards: what came meanwhile is the duty of who pushed it, and that one waits for its turn */
inline let_go(w) {
#ifndef MUTANT_UNCLAIMED
  atomic {
    if
#ifdef MUTANT_IGNORES_WANTED
    :: false ->
#else
    :: state[w] == CLAIMED_WANTED ->
#endif
       state[w] = THREAD; holder[w] = tenant[w]                 /* handed over */
    :: else ->
#ifdef MUTANT_FORGETS_WHICH
       state[w] = PARKED;
#else
       state[w] = z;
#endif
       holder[w] = 0
    fi }
#else
  skip
#endif
#ifdef MUTANT_GIVES_UP_ITS_TURN                 /* instead: whoever lets go looks at the queue */
  ; atomic { if :: QUEUED(w) -> settle = settle | (1<<(w)) :: else fi }
#endif
}

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
#if !defined(MUTANT_RAW_QUEUE) && !defined(MUTANT_PUSHER_LEAVES) && !defined(VARIANT_NOT_DIRECTLY)
        claim_in_turn(x, 0);                    /* directly: the token in hand */
        if
        :: z != THREAD -> b = x;
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
           let_go(b);
#endif
           if
#ifdef MUTANT_DIRECTLY_ANY
           :: true -> merge()
#else
           :: owner[y] == b ->
#ifdef REACH_DIRECTLY
              assert(me == 1 || lcl[y] < 2);
#endif
              merge()
           :: else                              /* no longer biased to the slot: released as any other, later */
#ifdef REACH_DIRECTLY_TOO_LATE
              -> assert(false)
#endif
#endif
           fi;
#ifdef MUTANT_FINALIZER_UNDER_CLAIM
           if :: corpses & 1 -> destroy(0) :: else fi;
#endif
#ifndef MUTANT_MERGE_AFTER_LETTING_GO
           let_go(b);
#endif
           atomic { x = 0; z = 0; b = 0 }
        :: else ->
#endif
           atomic {                             /* on the queue; and then there is a duty */
             Q(x,y)++;
#ifndef MUTANT_RAW_QUEUE
             TODO(me,y)--;
#endif
#if !defined(MUTANT_STATE_BEFORE_PUSH) && !defined(MUTANT_PUSHER_LEAVES)
             DUTY(x, PUSHED);
#endif
             x = 0; z = 0 }
#if !defined(MUTANT_RAW_QUEUE) && !defined(MUTANT_PUSHER_LEAVES) && !defined(VARIANT_NOT_DIRECTLY)
        fi
#endif
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

/* a duty to slot w: under a claim, BATCH tokens; more of them: the duty stays */
inline look_after(w) {
#ifdef WHY
  claim_in_turn(w, why);
#else
  claim_in_turn(w, PUSHED);
#endif
  if
  :: z != THREAD ->
     do
     :: b < BATCH && PENDING(w) -> one_token(w); b++
     :: b < BATCH && !PENDING(w) && QUEUED(w) -> take_queue(w)
     :: atomic { b < BATCH && !PENDING(w) && !QUEUED(w) -> b = 0; break }
     :: atomic { b == BATCH ->                  /* is there more? Looked up while the pending list is this thread's */
#ifdef REACH_LEFTOVER
          assert(!PENDING(w));
#endif
#ifdef MUTANT_FORGETS_LEFTOVER
          b = QUEUED(w);
#else
#ifdef VARIANT_MORE_IS_PENDING
          b = PENDING(w);
#else
          b = PENDING(w) || QUEUED(w);
#endif
#endif
          break }
     od;
#ifdef MUTANT_FINALIZER_UNDER_CLAIM
     if :: corpses & 1 -> destroy(0) :: else fi;
#endif
     settle = settle & ~(1<<(w));
     let_go(w);
#ifdef REACH_ARRIVES_UNDER_CLAIM
     assert(state[w] != PARKED || b || !QUEUED(w));
#endif
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
     do
     :: late & 1 -> late = late & 2; y = 0; x = w; merge()
     :: late & 2 -> late = late & 1; y = 1; x = w; merge()
     :: else -> break
     od; y = 0;
#endif
     atomic {
#ifdef WHY
       why = 0;
#endif
       if :: b -> DUTY(w, LEFT) :: else fi;
       b = 0; z = 0 }
  :: else -> atomic { settle = settle & ~(1<<(w)); z = 0
#ifdef WHY
       ; why = 0
#endif
     }
  fi }

/* by the thread whose slot it is: all there is */
inline drain(w) {
  do
  :: PENDING(w) -> one_token(w)
  :: !PENDING(w) && QUEUED(w) -> take_queue(w)
  :: !PENDING(w) && !QUEUED(w) -> break
  od }

#if CREDITS
/* under the lock: what is in grip goes back, by one CAS */
inline give_back() {
  atomic { ALIVE(0); cnt[0] = cnt[0] - grip[me]; grip[me] = 0; exact(0);
    if
    :: DEAD(0) -> died(0);
#ifdef REACH_DIES_BY_RECALL
       assert(!z)
#endif
    :: else
    fi };
  atomic { lock = 0; z = 0 } }

/* without the lock: plain loads and stores of the thread's own */
inline use_credit(change) {
  used[me] = 1;
#ifdef MUTANT_USES_CLOSED
  atomic { b = 1; y = credit[me] };
#else
  atomic { b = open[me]; y = credit[me] };
#endif
  atomic {
    if
    :: b && y + (change) > 0 -> ALIVE(0); credit[me] = y + (change); HAND(me,0) = HAND(me,0) - (change); exact(0)
    :: else
#ifdef REACH_FINDS_CLOSED
       -> assert(b)
#endif
    fi;
    y = 0 };
  atomic { used[me] = 0; b = 0 } }
#endif

/* where a thread is. IN: outside of blocking regions, with or without a slot */
#define IN       0
#define PARKING  1              /* blocking_begin: drained, about to park */
#define RECHECK  2              /* parked, about to look at the queue once more */
#define OUT      3              /* in the blocking region */
#define BACK     4              /* blocking_end */
#define LEAVING  5              /* exit: drained, about to vacate */

/* slot, the slot that is this thread's, and id, what it compares owners with: differ while parked */
proctype thread(byte me; byte slot; byte ops; byte parks; byte exits; byte adopts; byte sweeps) {
#if CREDITS
  byte takes = (me < 3 -> CREDITS : 0), recalls = (me == 3 -> RECALLS : 0);
#endif
  byte id, phase, corpses, settle, x, y, z, b;
#ifdef MUTANT_RAW_QUEUE
  bit raw = 1;
#endif
#ifdef MUTANT_MERGE_AFTER_LETTING_GO
  byte late;
#endif
#ifdef WHY
  byte why;
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

#if CREDITS
  /* two references at once; the thread has one, and nobody's bias is in the way */
#ifdef MUTANT_CREDIT_OF_BIASED
  :: atomic { IDLE && phase == IN && takes && HAND(me,0) && !credit[me] && !lock -> takes--; lock = me };
#else
  :: atomic { IDLE && phase == IN && takes && HAND(me,0) && !credit[me] && !lock && merged[0] -> takes--; lock = me };
#endif
     atomic { ALIVE(0); cnt[0] = cnt[0] + 2; grip[me] = 2; exact(0) };
     atomic { credit[me] = grip[me]; grip[me] = 0; open[me] = 1; lock = 0 }

  /* retain from it, also by who has no other reference (a weak one); one always stays. Release into it */
  :: atomic { IDLE && phase == IN && ops && open[me] -> ops-- }; use_credit(-1)
  :: atomic { IDLE && phase == IN && ops && open[me] && HAND(me,0) && cnt[0] != credit[me] + 1 -> ops-- }; use_credit(1)

  /* all references that there are; and, at any moment, all credit */
  :: atomic { IDLE && phase == IN && ops && credit[me] && HAND(me,0) && !lock && cnt[0] == credit[me] + 1 -> ops--; lock = me };
     atomic { grip[me] = credit[me] + 1; HAND(me,0)--; credit[me] = 0; open[me] = 0 };
#ifdef REACH_ALL_MINE
     assert(false);
#endif
     give_back()
  :: atomic { IDLE && phase == IN && credit[me] && !lock -> lock = me };
     atomic { grip[me] = credit[me]; credit[me] = 0; open[me] = 0 };
     give_back()

  /* another's: close, (barrier), look */
  :: atomic { IDLE && recalls && !lock && (credit[1] || credit[2]) -> recalls--; lock = me;
       if :: credit[1] -> z = 1 :: credit[2] -> z = 2 fi };
#ifdef MUTANT_LOOKS_BEFORE_CLOSING
     x = used[z];
#endif
#ifndef MUTANT_RECALLS_OPEN
     open[z] = 0;
#endif
#ifndef MUTANT_LOOKS_BEFORE_CLOSING
     x = used[z];
#endif
#ifdef MUTANT_RECALLS_IN_USE
     x = 0;
#endif
#ifdef REACH_RECALL_MEETS_USE
     assert(!x);
#endif
     if
     :: x -> atomic { open[z] = 1; lock = 0; x = 0; z = 0 }
     :: else ->
        atomic { grip[me] = credit[z]; credit[z] = 0; open[z] = 0 };
        give_back()
     fi
#endif

  /* safepoint */
  :: atomic { IDLE && phase == IN && slot && ops && (QUEUED(slot) || PENDING(slot)) -> ops-- };
#ifdef REACH_INHERITED_QUEUE
     assert(me != 3);
#endif
     drain(slot)

  /* blocking_begin: drain all; park; look at the queue once more, and claim for that as anyone would */
  :: atomic { IDLE && phase == IN && slot && parks NO_CREDIT -> parks--; phase = PARKING };
#ifdef MUTANT_PARKS_WITH_LEFTOVER
     take_queue(slot);
     if :: PENDING(slot) -> one_token(slot) :: else fi
#else
     drain(slot)
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
     atomic {
#ifndef MUTANT_LOOKS_BEFORE_PARKING
       z = QUEUED(slot);
#endif
#ifndef MUTANT_NO_LOOK_AFTER_PARKING
       if
       :: z -> DUTY(slot, FOUND);
#ifdef REACH_FOUND_AFTER_PARKING
          assert(false)
#endif
       :: else
       fi;
#endif
       z = 0; phase = OUT }

  /* blocking_end */
#ifdef FINALIZER
  :: atomic { MAY_HOLD && phase == OUT && !mutex -> mutex = (me == 1); phase = BACK };
#else
  :: atomic { MAY_HOLD && phase == OUT -> phase = BACK };
#endif
#if !defined(MUTANT_NO_WANTED) && !defined(MUTANT_RETURNS_UNASKED)
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
#ifdef MUTANT_RETURNS_UNASKED
     atomic { state[slot] = THREAD; holder[slot] = me };
#else
     if :: state[slot] == CLAIMED_PARKED -> waiting[slot] = 1 :: else fi;
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
  :: atomic { IDLE && phase == IN && slot && exits NO_CREDIT -> exits--; phase = LEAVING };
     drain(slot)
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
       if :: z -> DUTY(slot, FOUND) :: else fi;
#endif
       z = 0; slot = 0 }

  /* adoption: with the local counts, the queue and the pending list */
#if EXITS
  :: atomic { MAY_HOLD && phase == IN && !slot && adopts &&
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

  /* the service: claims, does nothing with the queue, lets go */
#if SWEEPS
  :: atomic { IDLE && sweeps && UNATTENDED(1) -> sweeps--; claim(1) };
     EXCLUSIVE(1);
     let_go(1);
     z = 0
#if SLOT2
  :: atomic { IDLE && sweeps && UNATTENDED(2) -> sweeps--; claim(2) };
     EXCLUSIVE(2);
     let_go(2);
     z = 0
#endif
#endif

  :: atomic { IDLE && (phase == IN || phase == OUT) NO_CREDIT -> finished++; break }
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
    run thread(1, 1, OPS1, PARKS1, EXITS, EXITS, 0);
    run thread(2, (SLOT2 -> 2 : 0), OPS2, PARKS2, EXITS, EXITS, 0);
    run thread(3, 0, OPS3, PARKS3, EXITS, EXITS, 0)
#if SWEEPS
    ; run thread(4, 0, 0, 0, 0, 0, SWEEPS)
#endif
  };
  d_step { finished == 3 + (SWEEPS > 0) -> at_rest() }
}
