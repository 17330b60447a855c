// SPDX-License-Identifier: MIT

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntToLongFunction;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Peer WORKLOAD SIZE THREADS SECONDS: see ../README.md. One JSON object a line for each measurement; exits with 1 if a
 * result was wrong, 2 if the arguments were. The time that it takes to compile is in all rows: rounds are long for that.
 */
final class Peer {
    static final long SEED = 88172645L;
    static final int NODES = 100000;

    static final class Node {
        Node left, right;
        long key, value;

        Node(long key) {
            this.key = key;
        }

        static final VarHandle LEFT, RIGHT;

        static {
            try {
                LEFT = MethodHandles.lookup().findVarHandle(Node.class, "left", Node.class);
                RIGHT = MethodHandles.lookup().findVarHandle(Node.class, "right", Node.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** Acquire, with put. */
        Node child(long of) {
            return (Node) (of < key ? LEFT : RIGHT).getAcquire(this);
        }

        void put(long of, Node child) {
            (of < key ? LEFT : RIGHT).setRelease(this, child);
        }
    }

    /** xorshift64*, the same in every language; limits are below 2^31. */
    static final class Random {
        long state;

        Random(long state) {
            this.state = state;
        }

        long below(long limit) {
            long x = state;
            x ^= x >>> 12;
            x ^= x << 25;
            x ^= x >>> 27;
            state = x;
            return (x * 0x2545f4914f6cdd1dL >>> 32) * limit >>> 32;
        }
    }

    static String workload;
    static int size, threads;
    static double seconds;
    static volatile boolean wrong;
    static Object sink; // what is stored here is no longer only a method's own, so it is really made

    static int[] shuffled(int count, Random random) {
        int[] places = new int[count];
        for (int i = 0; i < count; i++)
            places[i] = i;
        for (int i = count; i > 1; i--) {
            int k = (int) random.below(i), other = places[k];
            places[k] = places[i - 1];
            places[i - 1] = other;
        }
        return places;
    }

    // ---- results ----

    static void check(boolean ok, String what) {
        if (ok)
            return;
        System.err.println("WRONG RESULT: " + workload + " " + size + " " + threads + " " + what);
        wrong = true;
    }

    static void collect() {
        System.gc();
    }

    /** How many nodes are alive, by the virtual machine's own count after a full collection. */
    static long live() {
        try {
            String[] options = {};
            String table = (String) ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcClassHistogram", new Object[] {options},
                    new String[] {String[].class.getName()});
            for (String line : table.split("\n")) {
                String[] words = line.trim().split(" +");
                if (words.length > 3 && words[3].equals(Node.class.getName()))
                    return Long.parseLong(words[1]);
            }
            return 0;
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    static void checkGone() {
        sink = null;
        check(live() == 0, "nodes are still alive");
    }

    static double resident(String key) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status")))
                if (line.startsWith(key + ":"))
                    return Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024;
        } catch (IOException e) {
            // the kernel has no such table: 0
        }
        return 0;
    }

    static String arguments() {
        return String.format("{\"workload\": \"%s\", \"size\": %d, \"threads\": %d, ", workload, size, threads);
    }

    static void report(String metric, double value, String unit, long operations) {
        System.out.printf(Locale.ROOT, "%s\"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"operations\": %d, "
                + "\"peak_rss_mb\": %.1f, \"live\": \"objects\", \"ok\": %b}%n", arguments(), metric, value, unit, operations,
                resident("VmHWM") * 1e-6, !wrong);
    }

    static final double BEGUN = now();

    /**
     * For work of which only a part is timed: true as long as that part is shorter than asked for, and all of it not several
     * times as long.
     */
    static boolean goesOn(double took) {
        return took < seconds && now() - BEGUN < 4 * seconds;
    }

    static final com.sun.management.OperatingSystemMXBean PROCESS =
            (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** What was timed; by the clock, and of all threads together. */
    static final class Timed {
        double seconds, cpu;
        long operations;

        void begin() {
            seconds -= now();
            cpu -= PROCESS.getProcessCpuTime() * 1e-9;
        }

        void end() {
            seconds += now();
            cpu += PROCESS.getProcessCpuTime() * 1e-9;
        }

        void report(String unit) {
            Peer.report("time", seconds * 1e9 / operations, unit, operations);
            if (cpu > 0)
                Peer.report("cpu", cpu * 1e9 / operations, unit, operations);
        }
    }

    static void skip(String reason) {
        System.out.println(arguments() + "\"skip\": \"" + reason + "\"}");
    }

    static double now() {
        return System.nanoTime() * 1e-9;
    }

    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static void pause(int ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static Thread start(Runnable work) {
        Thread thread = new Thread(null, work, "worker", 512L << 20);
        thread.start();
        return thread;
    }

    /** Rounds on as many threads as asked for, at least one each, until the time is up. */
    static Timed repeat(IntToLongFunction round) {
        CyclicBarrier together = new CyclicBarrier(threads + 1);
        long[] operations = new long[threads];
        Thread[] members = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            int index = i;
            members[i] = start(() -> {
                meet(together);
                double begin = now();
                do
                    operations[index] += round.applyAsLong(index);
                while (now() - begin < seconds);
            });
        }
        Timed t = new Timed();
        meet(together);
        t.begin();
        for (int i = 0; i < threads; i++) {
            join(members[i]);
            t.operations += operations[i];
        }
        t.end();
        return t;
    }

    static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- nodes that come and go ----

    static final long SUM_OF_NODES = (long) NODES * (NODES - 1) / 2;

    static void lifo() {
        Node[][] places = new Node[threads][64]; // where a node is put, or it would not be made at all
        Timed t = repeat(index -> {
            long sum = 0;
            Node[] place = places[index];
            for (int i = 0; i < NODES; i++) {
                place[0] = new Node(i);
                sum += place[0].key;
            }
            place[0] = null;
            check(sum == SUM_OF_NODES, "the payloads do not add up");
            return NODES;
        });
        checkGone();
        t.report("ns/node");
    }

    static void fifo() {
        Node[][] rows = new Node[threads][size];
        Timed t = repeat(index -> {
            long sum = 0;
            Node[] row = rows[index];
            for (int i = 0, at = 0; i < NODES + size; i++, at = at + 1 == size ? 0 : at + 1) {
                if (row[at] != null) {
                    sum += row[at].key;
                    row[at] = null;
                }
                if (i < NODES)
                    row[at] = new Node(i);
            }
            check(sum == SUM_OF_NODES, "the payloads do not add up");
            return NODES;
        });
        checkGone();
        t.report("ns/node");
    }

    static volatile boolean isOver;

    static void handover() {
        Node[] places = new Node[size];
        AtomicLong[] counters = new AtomicLong[33]; // made is the first, taken the last: far apart
        for (int i = 0; i < counters.length; i++)
            counters[i] = new AtomicLong();
        AtomicLong made = counters[0], taken = counters[32];
        Timed t = repeat(index -> {
            if (index == 0) {
                double begin = now();
                long first = made.getPlain(), n = first;
                while (now() - begin < seconds) {
                    for (long last = n + NODES; n < last; n++) {
                        while (n - taken.getAcquire() == size)
                            Thread.yield();
                        places[(int) (n % size)] = new Node(n);
                        made.setRelease(n + 1);
                    }
                }
                isOver = true;
                return n - first;
            }
            for (long n = taken.getPlain();;) {
                if (made.getAcquire() != n) {
                    check(places[(int) (n % size)].key == n, "a node has come with a wrong payload");
                    places[(int) (n % size)] = null;
                    taken.setRelease(++n);
                } else if (isOver && made.getAcquire() == n) {
                    return 0;
                } else {
                    Thread.yield();
                }
            }
        });
        check(made.get() == taken.get(), "nodes have been lost");
        checkGone();
        t.report("ns/node");
    }

    /** Each makes as many as it has places for; when all have, each drops its neighbour's. */
    static void storm() {
        Node[][] places = new Node[threads][size];
        CyclicBarrier together = new CyclicBarrier(threads);
        Timed t = repeat(index -> {
            Node[] mine = places[index], theirs = places[(index + 1) % threads];
            double begin = now();
            long operations = 0;
            for (boolean isLast = isOver; !isLast; isLast = isOver) { // over: this thread's clock started later than the first's
                for (int i = 0; i < size; i++)
                    mine[i] = new Node(i);
                meet(together);
                long sum = 0;
                for (int i = 0; i < size; i++) {
                    sum += theirs[i].key;
                    theirs[i] = null;
                }
                check(sum == (long) size * (size - 1) / 2, "the payloads do not add up");
                operations += size;
                if (index == 0 && now() - begin >= seconds)
                    isOver = true;
                meet(together);
            }
            return operations;
        });
        checkGone();
        t.report("ns/node");
    }

    static final int REPLACED = 50000, LIST_MOST = 8;

    static final class Lists {
        final Node[] places = new Node[size];
        final Random random;
        long made, dropped, sum;

        Lists(int index) {
            random = new Random(SEED + index);
        }

        void drop(int at) {
            for (Node n = places[at]; n != null; n = n.left) {
                dropped++;
                sum -= n.key;
            }
            places[at] = null;
        }

        /** What one thread of the server does: lists of 1 to LIST_MOST nodes take the place of others. */
        void serve() {
            for (int i = 0; i < REPLACED; i++) {
                int at = (int) random.below(size), length = 1 + (int) random.below(LIST_MOST);
                drop(at);
                for (int k = 0; k < length; k++) {
                    Node n = new Node(made++);
                    sum += n.key;
                    n.left = places[at];
                    places[at] = n;
                }
            }
        }
    }

    /** Threads that end when they have replaced enough, and leave their lists to the next. */
    static void larson() {
        Lists[] lists = new Lists[threads];
        for (int i = 0; i < threads; i++)
            lists[i] = new Lists(i);
        Timed t = repeat(index -> {
            long made = lists[index].made;
            join(start(lists[index]::serve));
            return lists[index].made - made;
        });
        for (int i = 0; i < threads; i++) {
            for (int at = 0; at < size; at++)
                lists[i].drop(at);
            check(lists[i].made == lists[i].dropped && lists[i].sum == 0, "nodes have been lost");
            lists[i] = null;
        }
        checkGone();
        t.report("ns/node");
    }

    static Node ringMake(int count) {
        Node first = new Node(0), at = first;
        for (int i = 1; i < count; i++)
            at = at.left = new Node(i);
        return at.left = first;
    }

    /** The sum of the keys if there are count nodes, else -1. */
    static long ringSum(Node first, int count) {
        long sum = 0;
        int nodes = 0;
        Node at = first;
        do {
            sum += at.key;
            at = at.left;
        } while (++nodes < count && at != first);
        return nodes == count && at == first ? sum : -1;
    }

    static void rings() {
        Node[][] places = new Node[threads][64];
        Timed t = repeat(index -> {
            int count = NODES / size + 1;
            for (int i = 0; i < count; i++) {
                places[index][0] = ringMake(size);
                if (i == 0)
                    check(ringSum(places[index][0], size) == (long) size * (size - 1) / 2, "a ring is not what was made");
            }
            places[index][0] = null;
            return (long) count * size;
        });
        t.begin();
        collect();
        t.end();
        checkGone();
        t.report("ns/node");
    }

    static Node head;

    static void deep() {
        Timed t = new Timed();
        do {
            for (int i = 0; i < size; i++) {
                Node n = new Node(i);
                n.left = head;
                head = n;
            }
            long count = 0, sum = 0;
            for (Node n = head; n != null; n = n.left, count++)
                sum += n.key;
            check(count == size && sum == (long) size * (size - 1) / 2, "the list is not what was made");
            t.begin();
            head = null;
            collect();
            t.end();
            t.operations += size;
        } while (goesOn(t.seconds));
        checkGone();
        t.report("ns/node");
    }

    // ---- trees ----

    static final int DEPTH_MIN = 4, ARRAY = 500000, LEAST = 4;

    static Node keep;

    static Node treeMake(int depth) {
        Node left = depth == 0 ? null : treeMake(depth - 1), right = depth == 0 ? null : treeMake(depth - 1);
        Node n = new Node(depth);
        n.left = left;
        n.right = right;
        return n;
    }

    static long treeCount(Node n) {
        return n == null ? 0 : 1 + treeCount(n.left) + treeCount(n.right);
    }

    static long treeNodes(int depth) {
        return (2L << depth) - 1;
    }

    static void trees() {
        Timed t = repeat(index -> {
            long nodes = 0, expected = 0;
            if (index == 0) {
                nodes += treeCount(treeMake(size + 1));
                keep = treeMake(size);
                expected += treeNodes(size + 1) + treeNodes(size);
            }
            for (int depth = DEPTH_MIN; depth <= size; depth += 2) {
                long trees = (1L << (size - depth + DEPTH_MIN)) / threads;
                expected += trees * treeNodes(depth);
                for (; trees > 0; trees--)
                    nodes += treeCount(treeMake(depth));
            }
            if (index == 0) {
                nodes += treeCount(keep);
                keep = null;
            }
            check(nodes == expected, "not as many nodes as were made");
            return nodes;
        });
        checkGone();
        t.report("ns/node");
    }

    static void populate(Node n, int depth) {
        if (depth == 0)
            return;
        n.left = new Node(0);
        n.right = new Node(0);
        populate(n.left, depth - 1);
        populate(n.right, depth - 1);
    }

    static Node populated(int depth) {
        Node root = new Node(0);
        populate(root, depth);
        return root;
    }

    static void gcbench() {
        Timed t = repeat(index -> {
            int stretch = size, most = size - 2; // 18 in the original
            boolean ok = treeCount(treeMake(stretch)) == treeNodes(stretch);
            keep = populated(most);
            double[] array = new double[ARRAY];
            for (int i = 0; i < ARRAY; i++)
                array[i] = 1.0 / (i + 1);
            for (int depth = LEAST; depth <= most; depth += 2) {
                long trees = 2 * treeNodes(stretch) / treeNodes(depth);
                for (long i = 0; i < trees; i++) {
                    Node root = populated(depth);
                    ok &= i != 0 || treeCount(root) == treeNodes(depth);
                }
                for (long i = 0; i < trees; i++) {
                    Node root = treeMake(depth);
                    ok &= i != 0 || treeCount(root) == treeNodes(depth);
                }
            }
            check(ok && treeCount(keep) == treeNodes(most) && array[1000] == 1.0 / 1001, "a tree is not what was made");
            keep = null;
            return 1;
        });
        checkGone();
        report("time", t.seconds / t.operations, "s", t.operations);
    }

    static Node balanced(int count) {
        if (count == 0)
            return null;
        Node n = new Node(count);
        int left = (count - 1) / 2;
        n.left = balanced(left);
        n.right = balanced(count - 1 - left);
        return n;
    }

    static void memory() {
        collect();
        double before = resident("VmRSS");
        keep = balanced(size);
        collect();
        double after = resident("VmRSS");
        check(treeCount(keep) == size, "not as many nodes as were made");
        report("resident", (after - before) / size, "bytes/node", size);
    }

    // ---- graphs ----

    static Node graph;

    static void graphMake() {
        Random random = new Random(SEED);
        int[] order = shuffled(size, random);
        Node[] nodes = new Node[size];
        for (int i = 0; i < size; i++)
            nodes[i] = new Node(i);
        for (int i = 0; i < size; i++) {
            Node n = nodes[order[i]];
            n.left = nodes[order[i + 1 == size ? 0 : i + 1]];
            n.right = nodes[(int) random.below(size)];
        }
        graph = nodes[order[0]];
    }

    static void graphCheck() {
        check(ringSum(graph, size) == (long) size * (size - 1) / 2, "the graph is not what was made");
    }

    static void collectLive() {
        Timed t = new Timed();
        graphMake();
        collect();
        do {
            t.begin();
            collect();
            t.end();
            t.operations += size;
        } while (goesOn(t.seconds));
        graphCheck();
        graph = null;
        checkGone();
        t.report("ns/node");
    }

    static void collectGarbage() {
        Timed t = new Timed();
        do {
            graphMake();
            graphCheck();
            collect();
            t.begin();
            graph = null;
            collect();
            t.end();
            t.operations += size;
        } while (goesOn(t.seconds));
        checkGone();
        t.report("ns/node");
    }

    /** A range is a hundred-and-twenty-eighth of the value it begins with. */
    static final class Histogram {
        final long[] counts = new long[40 << 7];
        long samples, max;

        void add(long value) {
            int shift = value > 127 ? 56 - Long.numberOfLeadingZeros(value) : 0;
            counts[(shift << 7) + (int) (value >> shift)]++;
            samples++;
            if (value > max)
                max = value;
        }

        double percentile(double share) {
            long below = 0;
            for (int i = 0; i < counts.length; i++) {
                below += counts[i];
                if (counts[i] == 0 || below < share * samples)
                    continue;
                int shift = i >= 256 ? (i >> 7) - 1 : 0;
                return (long) (i - (shift << 7)) << shift;
            }
            return max;
        }

        void merge(Histogram more) {
            for (int i = 0; i < counts.length; i++)
                counts[i] += more.counts[i];
            samples += more.samples;
            max = Math.max(max, more.max);
        }

        /** Percentiles of nanoseconds, and the curve of them. */
        void report(String name) {
            Peer.report("p50", percentile(0.5), "ns", samples);
            Peer.report("p99", percentile(0.99), "ns", samples);
            Peer.report("p99.9", percentile(0.999), "ns", samples);
            Peer.report("p99.99", percentile(0.9999), "ns", samples);
            Peer.report("max", max * 1e-6, "ms", samples);
            StringBuilder points = new StringBuilder();
            for (double share : SHARES)
                if ((1 - share) * samples >= 10)
                    points.append(String.format(Locale.ROOT, "[%.6f, %.1f], ", share, percentile(share)));
            System.out.printf(Locale.ROOT, "%s\"curve\": \"%s\", \"unit\": \"ns\", \"points\": [%s[1, %d]]}%n", arguments(), name,
                    points, max);
        }

        /** As far as ten samples are beyond. */
        static final double[] SHARES = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999};
    }

    static final int GAP_NS = 1000000;

    static void pause() {
        graphMake();
        collect();
        Histogram rounds = new Histogram();
        long[] totals = new long[2];
        Node[] place = new Node[64];
        Thread probe = start(() -> {
            long begin = System.nanoTime(), last = begin;
            while (!isOver) {
                place[0] = ringMake(4);
                long now = System.nanoTime(), took = now - last;
                rounds.add(took);
                if (took > GAP_NS)
                    totals[0] += took;
                last = now;
            }
            place[0] = null;
            totals[1] = last - begin;
        });
        long collections = 0;
        double begin = now();
        while (now() - begin < seconds) {
            if (threads == 2) {
                collect();
                collections++;
            } else {
                pause(10);
            }
        }
        isOver = true;
        join(probe);
        double took = now() - begin, bytes = resident("VmRSS");
        graphCheck();
        graph = null;
        checkGone();
        rounds.report("a ring of four made and dropped");
        report("lost", 100.0 * totals[0] / totals[1], "%", rounds.samples);
        report("resident", bytes * 1e-6, "MB", rounds.samples);
        if (threads == 2)
            report("collections", collections / took, "/s", collections);
    }

    // ---- a server with sessions, under a load that does not wait for it ----

    static final int SESSIONS = 16384, SESSION = 10, DEPTH = 5, LOCKS = 64;

    static Node[] sessions;

    static final class Worker {
        final Histogram latencies = new Histogram();
        final Random random;
        long due, served;

        Worker(int index) {
            random = new Random(SEED + index);
        }
    }

    static boolean serve(int key, Object[] locks) {
        Node fresh = ringMake(SESSION);
        long sum;
        synchronized (locks[key % LOCKS]) {
            sum = ringSum(sessions[key], SESSION);
            sessions[key] = fresh;
        }
        return sum == SESSION * (SESSION - 1) / 2 && treeCount(treeMake(DEPTH)) == treeNodes(DEPTH);
    }

    static void waitUntil(long due) {
        while (System.nanoTime() < due)
            Thread.yield();
    }

    /** A request's latency counts from when it was due. */
    static void server() {
        long due = 0, served = 0;
        sessions = new Node[SESSIONS];
        for (int i = 0; i < SESSIONS; i++)
            sessions[i] = ringMake(SESSION);
        Object[] locks = new Object[LOCKS];
        for (int i = 0; i < LOCKS; i++)
            locks[i] = new Object();
        Worker[] workers = new Worker[threads];
        for (int i = 0; i < threads; i++)
            workers[i] = new Worker(i);
        repeat(index -> {
            Worker w = workers[index];
            long mean = threads * 1000000000L / size, end = (long) (seconds * 1e9), begin = System.nanoTime();
            boolean ok = true;
            for (long arrival = w.random.below(2 * mean); arrival < end; arrival += w.random.below(2 * mean)) {
                w.due++;
                if (System.nanoTime() - begin >= 2 * end)
                    continue; // could not be served in time
                waitUntil(begin + arrival);
                ok &= serve((int) w.random.below(SESSIONS), locks);
                w.latencies.add(System.nanoTime() - begin - arrival);
                w.served++;
            }
            waitUntil(begin + end);
            check(ok, "a session or an answer is not what was made");
            return w.served;
        });
        Histogram all = new Histogram();
        for (Worker w : workers) {
            all.merge(w.latencies);
            due += w.due;
            served += w.served;
        }
        for (int i = 0; i < SESSIONS; i++)
            check(ringSum(sessions[i], SESSION) == SESSION * (SESSION - 1) / 2, "a session is not what was made");
        sessions = null;
        checkGone();
        all.report("from when a request was due to its answer");
        report("served", 100.0 * served / due, "%", due);
    }

    // ---- a search tree ----

    static final int LOOKUPS = 10000;

    static Node holder; // greater than every key, so the tree is its left

    static void treeBuild() {
        holder = new Node(size);
        for (int key : shuffled(size, new Random(SEED))) {
            Node at = holder, next;
            while ((next = at.child(key)) != null)
                at = next;
            at.put(key, new Node(key));
        }
    }

    /** A node with the same key and children, and a value one higher, takes the place of one. */
    static void replace(long key) {
        Node parent = holder, at = holder.child(key);
        while (at.key != key) {
            parent = at;
            at = at.child(key);
        }
        Node fresh = new Node(key);
        fresh.value = at.value + 1;
        fresh.left = at.left;
        fresh.right = at.right;
        parent.put(key, fresh);
    }

    static long treeValues(Node n) {
        return n == null ? 0 : n.value + treeValues(n.left) + treeValues(n.right);
    }

    static void lookup(boolean isChanging) {
        treeBuild();
        Random[][] randoms = new Random[threads][];
        for (int i = 0; i < threads; i++) {
            randoms[i] = new Random[16]; // the first; the others keep those of different threads apart
            for (int k = 0; k < 16; k++)
                randoms[i][k] = new Random(SEED + 2 + i);
        }
        long[] replaced = new long[1];
        double begin = now();
        Thread writer = !isChanging ? null : start(() -> {
            Random random = new Random(SEED + 1);
            for (; !isOver; replaced[0]++)
                replace(random.below(size));
        });
        Timed t = repeat(index -> {
            Random random = randoms[index][8];
            long hops = 0, missed = 0;
            for (int i = 0; i < LOOKUPS; i++) {
                long key = random.below(size);
                Node at = holder.child(key);
                hops++;
                while (at != null && at.key != key) {
                    at = at.child(key);
                    hops++;
                }
                if (at == null)
                    missed++;
            }
            check(missed == 0, "a key was not found");
            return hops;
        });
        if (isChanging) {
            isOver = true;
            join(writer);
        }
        double took = now() - begin;
        check(treeCount(holder.left) == size && treeValues(holder.left) == replaced[0], "nodes or replacements have been lost");
        holder = null;
        checkGone();
        if (isChanging)
            t.cpu = 0; // the writer's is in it
        t.report("ns/hop");
        if (isChanging)
            report("replaced", replaced[0] / took, "/s", replaced[0]);
    }

    public static void main(String[] words) {
        if (words.length == 4) {
            workload = words[0];
            size = Integer.parseInt(words[1]);
            threads = Integer.parseInt(words[2]);
            seconds = Double.parseDouble(words[3]);
            boolean many = switch (workload) {
                case "gcbench", "deep", "collect-live", "collect-garbage", "memory" -> threads == 1;
                case "handover" -> threads == 2;
                case "storm" -> threads >= 2 && threads <= 8;
                case "pause" -> threads <= 2;
                default -> threads <= 8;
            };
            if (many && size > 0 && threads > 0 && run()) {
                System.out.flush();
                System.exit(wrong ? 1 : 0);
            }
        }
        System.err.println("usage: Peer WORKLOAD SIZE THREADS SECONDS");
        System.exit(2);
    }

    static boolean run() {
        switch (workload) {
            case "trees" -> trees();
            case "gcbench" -> gcbench();
            case "retain-own", "retain-shared" -> skip("no reference counts");
            case "lifo" -> lifo();
            case "fifo" -> fifo();
            case "handover" -> handover();
            case "storm" -> storm();
            case "larson" -> larson();
            case "server" -> server();
            case "rings" -> rings();
            case "deep" -> deep();
            case "collect-live" -> collectLive();
            case "collect-garbage" -> collectGarbage();
            case "pause" -> pause();
            case "lookup" -> lookup(false);
            case "lookup-writer" -> lookup(true);
            case "memory" -> memory();
            default -> {
                return false;
            }
        }
        return true;
    }
}
