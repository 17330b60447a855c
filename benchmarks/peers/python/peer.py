# SPDX-License-Identifier: MIT
"""peer.py WORKLOAD SIZE THREADS SECONDS: see ../README.md. One JSON object a line for each measurement; exits with 1 if a
result was wrong, 2 if the arguments were."""

import gc
import json
import os
import sys
import threading
import time

SEED = 88172645
MASK = (1 << 64) - 1
NODES = 20000
HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

workload, size, threads, seconds = "", 0, 0, 0.0
wrong = False


class Node:
    __slots__ = ("left", "right", "key", "value")

    def __init__(self, key=0, left=None, right=None):
        self.left = left
        self.right = right
        self.key = key
        self.value = 0


class Random:
    """xorshift64*, the same in every language."""

    def __init__(self, state):
        self.state = state

    def below(self, limit):
        x = self.state
        x ^= x >> 12
        x ^= (x << 25) & MASK
        x ^= x >> 27
        self.state = x
        return ((x * 0x2545F4914F6CDD1D & MASK) >> 32) * limit >> 32


def shuffled(count, random):
    places = list(range(count))
    for i in range(count, 1, -1):
        k = random.below(i)
        places[k], places[i - 1] = places[i - 1], places[k]
    return places


# --- results ---


def check(ok, what):
    global wrong
    if not ok:
        print("WRONG RESULT:", workload, size, threads, what, file=sys.stderr)
        wrong = True


def live():
    gc.collect()
    return sum(1 for thing in gc.get_objects() if type(thing) is Node)


def check_live(before):
    check(live() == before, "more or fewer nodes are alive than before")


def resident(key):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(float(line.split()[1]) * 1024 for line in status if line.startswith(key + ":"))


def line(**more):
    print(json.dumps({"workload": workload, "size": size, "threads": threads, **more}))


def report(metric, value, unit, operations):
    line(metric=metric, value=float(f"{value:.6g}"), unit=unit, operations=operations,
         peak_rss_mb=round(resident("VmHWM") * 1e-6, 1), live="objects", ok=not wrong)


class Timed:
    """What was timed; by the clock, and of all threads together."""

    def __init__(self):
        self.seconds = self.cpu = 0.0
        self.operations = 0

    def __enter__(self):
        self.seconds -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_):
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


def report_time(timed, unit):
    report("time", timed.seconds * 1e9 / timed.operations, unit, timed.operations)
    if timed.cpu > 0:
        report("cpu", timed.cpu * 1e9 / timed.operations, unit, timed.operations)


BEGUN = time.perf_counter()


def goes_on(took):
    """For work of which only a part is timed: true as long as that part is shorter than asked for, and all of it not
    several times as long."""
    return took < seconds and time.perf_counter() - BEGUN < 4 * seconds


def repeat(a_round):
    """Rounds on as many threads as asked for, at least one each, until the time is up."""
    together = threading.Barrier(threads)
    operations = [0] * threads

    def work(index):
        together.wait()
        begin = time.perf_counter()
        while True:
            operations[index] += a_round(index)
            if time.perf_counter() - begin >= seconds:
                return

    others = [threading.Thread(target=work, args=(i,)) for i in range(1, threads)]
    for other in others:
        other.start()
    timed = Timed()
    with timed:
        work(0)
        for other in others:
            other.join()
    timed.operations = sum(operations)
    return timed


# --- counting ---

COPIED = 1000


def retain(is_shared):
    objects = [Node() for _ in range(1 if is_shared else threads)]
    many = [[objects[0 if is_shared else i]] * COPIED for i in range(threads)]
    before = [sys.getrefcount(thing) for thing in objects]

    def a_round(index):
        mine = many[index]
        for _ in range(1000):
            mine[:]  # a reference more for each element, and then one less
        return 1000 * COPIED

    timed = repeat(a_round)
    check([sys.getrefcount(thing) for thing in objects] == before, "references have been lost or gained")
    report_time(timed, "ns/pair")


# --- nodes that come and go ---


def lifo():
    before = live()

    def a_round(_):
        total = 0
        for i in range(NODES):
            node = Node(i)
            total += node.key
            node = None
        check(total == NODES * (NODES - 1) // 2, "the payloads do not add up")
        return NODES

    timed = repeat(a_round)
    check_live(before)
    report_time(timed, "ns/node")


def fifo():
    before = live()
    rows = [[None] * size for _ in range(threads)]

    def a_round(index):
        total, at, row, count = 0, 0, rows[index], max(NODES, 4 * size)
        for i in range(count + size):
            if row[at] is not None:
                total += row[at].key
                row[at] = None
            if i < count:
                row[at] = Node(i)
            at = at + 1 if at + 1 < size else 0
        check(total == count * (count - 1) // 2, "the payloads do not add up")
        return count

    timed = repeat(a_round)
    check_live(before)
    report_time(timed, "ns/node")


def handover():
    before = live()
    places = [None] * size
    made, taken, is_over = [0], [0], [False]  # each written by one thread

    def a_round(index):
        if index == 0:
            begin, count, first = time.perf_counter(), made[0], made[0]
            while time.perf_counter() - begin < seconds:
                for _ in range(NODES):
                    while count - taken[0] == size:
                        time.sleep(0)
                    places[count % size] = Node(count)
                    count += 1
                    made[0] = count
            is_over[0] = True
            return count - first
        count = taken[0]
        while True:
            if made[0] != count:
                at = count % size
                node, places[at] = places[at], None
                check(node.key == count, "a node has come with a wrong payload")
                node = None
                count += 1
                taken[0] = count
            elif is_over[0] and made[0] == count:
                return 0
            else:
                time.sleep(0)

    timed = repeat(a_round)
    check(made == taken, "nodes have been lost")
    check_live(before)
    report_time(timed, "ns/node")


def storm():
    """Each makes as many as it has places for; when all have, each drops its neighbour's."""
    before = live()
    places = [[None] * size for _ in range(threads)]
    together, is_over = threading.Barrier(threads), [False]

    def a_round(index):
        mine, theirs, operations, begin = places[index], places[(index + 1) % threads], 0, time.perf_counter()
        while not is_over[0]:  # else this thread's clock started later than the first's
            for i in range(size):
                mine[i] = Node(i)
            together.wait()
            total = 0
            for i in range(size):
                total += theirs[i].key
                theirs[i] = None
            check(total == size * (size - 1) // 2, "the payloads do not add up")
            operations += size
            if index == 0 and time.perf_counter() - begin >= seconds:
                is_over[0] = True
            together.wait()
        return operations

    timed = repeat(a_round)
    check_live(before)
    report_time(timed, "ns/node")


REPLACED, LIST_MOST = 50000, 8


class Lists:
    """What one thread of a server leaves to the next."""

    def __init__(self, index):
        self.places, self.random = [None] * size, Random(SEED + index)
        self.made = self.dropped = self.sum = 0

    def drop(self, at):
        node = self.places[at]
        while node is not None:
            self.dropped += 1
            self.sum -= node.key
            node = node.left
        self.places[at] = None

    def serve(self):
        for _ in range(REPLACED):
            at, length = self.random.below(size), 1 + self.random.below(LIST_MOST)
            self.drop(at)
            head = None
            for key in range(self.made, self.made + length):
                head = Node(key, head)
                self.sum += key
            self.made += length
            self.places[at] = head


def larson():
    before = live()
    lists = [Lists(i) for i in range(threads)]

    def a_round(index):
        made, server = lists[index].made, threading.Thread(target=lists[index].serve)
        server.start()
        server.join()
        return lists[index].made - made

    timed = repeat(a_round)
    for some in lists:
        for at in range(size):
            some.drop(at)
        check(some.made == some.dropped and some.sum == 0, "nodes have been lost")
    check_live(before)
    report_time(timed, "ns/node")


def ring_make(count):
    first = at = Node(0)
    for i in range(1, count):
        at.left = Node(i)
        at = at.left
    at.left = first
    return first


def ring_sum(first, count):
    """The sum of the keys if there are count nodes, else None."""
    total, nodes, at = 0, 0, first
    while True:
        total += at.key
        at = at.left
        nodes += 1
        if nodes == count or at is first:
            return total if nodes == count and at is first else None


def rings():
    before = live()

    def a_round(_):
        count = NODES // size + 1
        for i in range(count):
            ring = ring_make(size)
            if i == 0:
                check(ring_sum(ring, size) == size * (size - 1) // 2, "a ring is not what was made")
        return count * size

    timed = repeat(a_round)
    with timed:
        gc.collect()
    check_live(before)
    report_time(timed, "ns/node")


def deep():
    before, timed = live(), Timed()
    while timed.operations == 0 or goes_on(timed.seconds):
        head = None
        for i in range(size):
            head = Node(i, head)
        at, nodes, total = head, 0, 0
        while at is not None:
            nodes, total, at = nodes + 1, total + at.key, at.left
        check(nodes == size and total == size * (size - 1) // 2, "the list is not what was made")
        with timed:
            head = None
        timed.operations += size
    check_live(before)
    report_time(timed, "ns/node")


# --- trees ---

DEPTH_MIN = 4


def tree_make(depth):
    if depth == 0:
        return Node()
    return Node(depth, tree_make(depth - 1), tree_make(depth - 1))


def tree_count(node):
    return 1 + (tree_count(node.left) if node.left else 0) + (tree_count(node.right) if node.right else 0)


def tree_nodes(depth):
    return (2 << depth) - 1


def trees():
    before = live()

    def a_round(index):
        nodes = expected = 0
        if index == 0:
            nodes += tree_count(tree_make(size + 1))
            keep = tree_make(size)
            expected += tree_nodes(size + 1) + tree_nodes(size)
        for depth in range(DEPTH_MIN, size + 1, 2):
            count = (1 << (size - depth + DEPTH_MIN)) // threads
            expected += count * tree_nodes(depth)
            for _ in range(count):
                nodes += tree_count(tree_make(depth))
        if index == 0:
            nodes += tree_count(keep)
        check(nodes == expected, "not as many nodes as were made")
        return nodes

    timed = repeat(a_round)
    check_live(before)
    report_time(timed, "ns/node")


ARRAY, LEAST = 500000, 4


def populate(node, depth):
    if depth:
        node.left, node.right = Node(), Node()
        populate(node.left, depth - 1)
        populate(node.right, depth - 1)


def populated(depth):
    root = Node()
    populate(root, depth)
    return root


def gcbench():
    before = live()

    def a_round(_):
        stretch, most = size, size - 2  # 18 in the original
        ok = tree_count(tree_make(stretch)) == tree_nodes(stretch)
        keep = populated(most)
        array = [1.0 / (i + 1) for i in range(ARRAY)]
        for depth in range(LEAST, most + 1, 2):
            count = 2 * tree_nodes(stretch) // tree_nodes(depth)
            for make in populated, tree_make:
                for i in range(count):
                    root = make(depth)
                    ok = ok and (i != 0 or tree_count(root) == tree_nodes(depth))
        check(ok and tree_count(keep) == tree_nodes(most) and array[1000] == 1.0 / 1001, "a tree is not what was made")
        return 1

    timed = repeat(a_round)
    check_live(before)
    report("time", timed.seconds / timed.operations, "s", timed.operations)


def balanced(count):
    if count == 0:
        return None
    left = (count - 1) // 2
    # A small key: integers above 256 are objects of their own, which the other programs do not have.
    return Node(count & 0xFF, balanced(left), balanced(count - 1 - left))


def memory():
    gc.collect()
    before = resident("VmRSS")
    keep = balanced(size)
    gc.collect()
    after = resident("VmRSS")
    check(tree_count(keep) == size, "not as many nodes as were made")
    report("resident", (after - before) / size, "bytes/node", size)


# --- graphs ---


def graph_make():
    random = Random(SEED)
    order = shuffled(size, random)
    nodes = [Node(i) for i in range(size)]
    for i in range(size):
        node = nodes[order[i]]
        node.left = nodes[order[i + 1 if i + 1 < size else 0]]
        node.right = nodes[random.below(size)]
    return nodes[order[0]]


def graph_check(graph):
    check(ring_sum(graph, size) == size * (size - 1) // 2, "the graph is not what was made")


def collect_live():
    before, timed = live(), Timed()
    graph = graph_make()
    gc.collect()
    while timed.operations == 0 or goes_on(timed.seconds):
        with timed:
            gc.collect()
        timed.operations += size
    graph_check(graph)
    graph = None
    check_live(before)
    report_time(timed, "ns/node")


def collect_garbage():
    before, timed = live(), Timed()
    while timed.operations == 0 or goes_on(timed.seconds):
        graph = graph_make()
        graph_check(graph)
        gc.collect()
        with timed:
            graph = None
            gc.collect()
        timed.operations += size
    check_live(before)
    report_time(timed, "ns/node")


GAP_NS = 1000000
# As far as ten samples are beyond.
SHARES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999)


class Histogram:
    """A range is a hundred-and-twenty-eighth of the value it begins with."""

    def __init__(self):
        self.counts, self.samples, self.max = [0] * (40 << 7), 0, 0

    def add(self, value):
        shift = value.bit_length() - 8 if value > 127 else 0
        self.counts[(shift << 7) + (value >> shift)] += 1
        self.samples += 1
        if value > self.max:
            self.max = value

    def percentile(self, share):
        below = 0
        for i, count in enumerate(self.counts):
            below += count
            if count and below >= share * self.samples:
                shift = (i >> 7) - 1 if i >= 256 else 0
                return (i - (shift << 7)) << shift
        return self.max

    def merge(self, more):
        self.counts = [a + b for a, b in zip(self.counts, more.counts)]
        self.samples += more.samples
        self.max = max(self.max, more.max)

    def report(self, name):
        """Percentiles of nanoseconds, and the curve of them."""
        for metric, share in ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999):
            report(metric, self.percentile(share), "ns", self.samples)
        report("max", self.max * 1e-6, "ms", self.samples)
        points = [[share, self.percentile(share)] for share in SHARES if (1 - share) * self.samples >= 10]
        line(curve=name, unit="ns", points=[*points, [1, self.max]])


def pause():
    before = live()
    graph = graph_make()
    gc.collect()
    rounds, totals, is_over = Histogram(), [0, 0], [False]

    def probe():
        begin = last = time.perf_counter_ns()
        while not is_over[0]:
            ring_make(4)
            now = time.perf_counter_ns()
            took = now - last
            rounds.add(took)
            if took > GAP_NS:
                totals[0] += took
            last = now
        totals[1] = last - begin

    thread = threading.Thread(target=probe)
    thread.start()
    collections, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        if threads == 2:
            gc.collect()
            collections += 1
        else:
            time.sleep(0.01)
    is_over[0] = True
    thread.join()
    took, bytes_resident = time.perf_counter() - begin, resident("VmRSS")
    graph_check(graph)
    graph = None
    check_live(before)
    rounds.report("a ring of four made and dropped")
    report("lost", 100 * totals[0] / totals[1], "%", rounds.samples)
    report("resident", bytes_resident * 1e-6, "MB", rounds.samples)
    if threads == 2:
        report("collections", collections / took, "/s", collections)


# --- a server with sessions, under a load that does not wait for it ---

SESSIONS, SESSION, DEPTH, LOCKS = 16384, 10, 5, 64


def server():
    """A request's latency counts from when it was due."""
    before = live()
    sessions = [ring_make(SESSION) for _ in range(SESSIONS)]
    locks = [threading.Lock() for _ in range(LOCKS)]
    latencies = [Histogram() for _ in range(threads)]
    randoms = [Random(SEED + i) for i in range(threads)]
    due, served = [0] * threads, [0] * threads

    def serve(key):
        fresh = ring_make(SESSION)
        with locks[key % LOCKS]:
            total = ring_sum(sessions[key], SESSION)
            sessions[key] = fresh
        answer = tree_make(DEPTH)
        return total == SESSION * (SESSION - 1) // 2 and tree_count(answer) == tree_nodes(DEPTH)

    def wait_until(when):
        while time.perf_counter_ns() < when:
            time.sleep(0)

    def a_round(index):
        random, ok = randoms[index], True
        mean, end, arrival, begin = threads * 1000000000 // size, int(seconds * 1e9), 0, time.perf_counter_ns()
        while True:
            arrival += random.below(2 * mean)
            if arrival >= end:
                break
            due[index] += 1
            if time.perf_counter_ns() - begin >= 2 * end:
                continue  # could not be served in time
            wait_until(begin + arrival)
            ok = serve(random.below(SESSIONS)) and ok
            latencies[index].add(time.perf_counter_ns() - begin - arrival)
            served[index] += 1
        wait_until(begin + end)
        check(ok, "a session or an answer is not what was made")
        return served[index]

    repeat(a_round)
    for more in latencies[1:]:
        latencies[0].merge(more)
    check(all(ring_sum(ring, SESSION) == SESSION * (SESSION - 1) // 2 for ring in sessions), "a session is not what was made")
    sessions = None
    check_live(before)
    latencies[0].report("from when a request was due to its answer")
    report("served", 100 * sum(served) / sum(due), "%", sum(due))


# --- a search tree ---

LOOKUPS = 1000


def tree_build():
    holder = Node(size)  # greater than every key, so the tree is its left
    for key in shuffled(size, Random(SEED)):
        at = holder
        while True:
            if key < at.key:
                if at.left is None:
                    at.left = Node(key)
                    break
                at = at.left
            else:
                if at.right is None:
                    at.right = Node(key)
                    break
                at = at.right
    return holder


def replace(holder, key):
    """A node with the same key and children, and a value one higher, takes the place of one."""
    parent, at = holder, holder.left
    while at.key != key:
        parent, at = at, at.left if key < at.key else at.right
    fresh = Node(key, at.left, at.right)
    fresh.value = at.value + 1
    if key < parent.key:
        parent.left = fresh
    else:
        parent.right = fresh


def tree_totals(node):
    if node is None:
        return 0, 0
    left, right = tree_totals(node.left), tree_totals(node.right)
    return 1 + left[0] + right[0], node.value + left[1] + right[1]


def lookup(is_changing=False):
    before = live()
    holder = tree_build()
    randoms = [Random(SEED + 2 + i) for i in range(threads)]
    replaced, is_over = [0], [False]

    def write():
        random = Random(SEED + 1)
        while not is_over[0]:
            replace(holder, random.below(size))
            replaced[0] += 1

    def a_round(index):
        hops = missed = 0
        random = randoms[index]
        for _ in range(LOOKUPS):
            key, at = random.below(size), holder.left
            hops += 1
            while at is not None and at.key != key:
                at = at.left if key < at.key else at.right
                hops += 1
            missed += at is None
        check(missed == 0, "a key was not found")
        return hops

    begin = time.perf_counter()
    if is_changing:
        writer = threading.Thread(target=write)
        writer.start()
    timed = repeat(a_round)
    if is_changing:
        is_over[0] = True
        writer.join()
    took = time.perf_counter() - begin
    check(tree_totals(holder.left) == (size, replaced[0]), "nodes or replacements have been lost")
    holder = None
    check_live(before)
    if is_changing:
        timed.cpu = 0  # the writer's is in it
    report_time(timed, "ns/hop")
    if is_changing:
        report("replaced", replaced[0] / took, "/s", replaced[0])


# --- which ---

WORKLOADS = {
    "trees": (trees, 1, 8), "gcbench": (gcbench, 1, 1),
    "retain-own": (lambda: retain(False), 1, 8), "retain-shared": (lambda: retain(True), 1, 8),
    "lifo": (lifo, 1, 8), "fifo": (fifo, 1, 8), "handover": (handover, 2, 2),
    "storm": (storm, 2, 8), "larson": (larson, 1, 8), "server": (server, 1, 8), "rings": (rings, 1, 8),
    "deep": (deep, 1, 1), "collect-live": (collect_live, 1, 1), "collect-garbage": (collect_garbage, 1, 1),
    "pause": (pause, 1, 2), "lookup": (lookup, 1, 8), "lookup-writer": (lambda: lookup(True), 1, 8),
    "memory": (memory, 1, 1),
}


def main():
    global workload, size, threads, seconds
    if len(sys.argv) == 5:
        workload, size, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
        run, least, most = WORKLOADS.get(workload, (None, 0, 0))
        if run and size > 0 and least <= threads <= most:
            if HAS_GIL and workload not in ("pause", "server") and (threads > 1 or workload == "lookup-writer"):
                line(skip="one thread at a time")
            else:
                run()
            sys.stdout.flush()
            os._exit(1 if wrong else 0)  # what is alive need not be taken apart
    print("usage: peer.py WORKLOAD SIZE THREADS SECONDS", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
