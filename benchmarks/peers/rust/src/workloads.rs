// SPDX-License-Identifier: MIT

//! peer WORKLOAD SIZE THREADS SECONDS: see ../../README.md. The heap is that of the program which this is a part of.

use std::hint::black_box;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::{collect, count, drop_ring, new, same, Ref, COLLECTS};

const SEED: u64 = 88172645;
const NODES: u64 = 100000;
const PAIRS: u64 = 1000000;
const GAP_NS: u64 = 1000000;

static WRONG: AtomicBool = AtomicBool::new(false);

#[derive(Clone)]
struct Arguments {
    workload: String,
    size: u64,
    threads: usize,
    seconds: f64,
    begun: Instant,
}

/// What was timed; by the clock, and of all threads together.
#[derive(Default)]
struct Timed {
    seconds: f64,
    cpu: f64,
    operations: u64,
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// The processor time of all threads.
fn cpu_now() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2; // Linux, 64 bits
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.seconds as f64 + time.nanoseconds as f64 * 1e-9
}

impl Timed {
    fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (begin, cpu) = (Instant::now(), cpu_now());
        let result = work();
        self.seconds += begin.elapsed().as_secs_f64();
        self.cpu += cpu_now() - cpu;
        result
    }
}

/// xorshift64*, the same in every language.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        let mut x = self.0;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        ((x.wrapping_mul(0x2545f4914f6cdd1d)) >> 32) * limit >> 32
    }
}

fn shuffled(count: u64, random: &mut Random) -> Vec<u32> {
    let mut places: Vec<u32> = (0..count as u32).collect();
    for i in (2..=count).rev() {
        places.swap(random.below(i) as usize, i as usize - 1);
    }
    places
}

// ---- results ----

fn check(ok: bool, what: &str) {
    if !ok {
        eprintln!("WRONG RESULT: {what}");
        WRONG.store(true, Relaxed);
    }
}

/// A line of the kernel's table, in bytes.
fn resident(key: &str) -> f64 {
    let table = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = table.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).map_or(0.0, |kib: f64| kib * 1024.0)
}

impl Arguments {
    fn report(&self, metric: &str, value: f64, unit: &str, operations: u64) {
        println!(
            "{{\"workload\": \"{}\", \"size\": {}, \"threads\": {}, \"metric\": \"{metric}\", \"value\": {value:.4}, \
             \"unit\": \"{unit}\", \"operations\": {operations}, \"peak_rss_mb\": {:.1}, \"live\": \"unknown\", \"ok\": {}}}",
            self.workload, self.size, self.threads, resident("VmHWM") * 1e-6, !WRONG.load(Relaxed)
        );
    }

    fn report_time(&self, timed: Timed, unit: &str) {
        self.report("time", timed.seconds * 1e9 / timed.operations as f64, unit, timed.operations);
        self.report("cpu", timed.cpu * 1e9 / timed.operations as f64, unit, timed.operations);
    }

    fn skip(&self, reason: &str) {
        println!(
            "{{\"workload\": \"{}\", \"size\": {}, \"threads\": {}, \"skip\": \"{reason}\"}}",
            self.workload, self.size, self.threads
        );
    }

    /// For work of which only a part is timed: true as long as that part is shorter than asked for, and all of it not
    /// several times as long.
    fn goes_on(&self, timed: &Timed) -> bool {
        timed.seconds < self.seconds && self.begun.elapsed().as_secs_f64() < 4.0 * self.seconds
    }

    /// Rounds on as many threads as asked for, at least one each, until the time is up; and the threads' end.
    fn repeat(&self, round: impl Fn(usize) -> u64 + Sync) -> Timed {
        let (together, round) = (Barrier::new(self.threads + 1), &round);
        thread::scope(|scope| {
            let members: Vec<_> = (0..self.threads)
                .map(|index| {
                    let together = &together;
                    scope.spawn(move || {
                        together.wait();
                        let (begin, mut operations) = (Instant::now(), 0);
                        loop {
                            operations += round(index);
                            if begin.elapsed().as_secs_f64() >= self.seconds {
                                return operations;
                            }
                        }
                    })
                })
                .collect();
            let mut timed = Timed::default();
            together.wait();
            timed.operations = timed.during(|| members.into_iter().map(|member| member.join().unwrap()).sum());
            timed
        })
    }
}

// ---- counting, and nodes that come and go ----

fn retain(a: &Arguments, is_shared: bool) {
    let objects: Vec<Ref> = (0..if is_shared { 1 } else { a.threads }).map(|key| new(key as u64, None, None)).collect();
    let timed = a.repeat(|index| {
        let object = &objects[if is_shared { 0 } else { index }];
        for _ in 0..PAIRS {
            drop(black_box(black_box(object).clone()));
        }
        PAIRS
    });
    check(objects.iter().all(|object| count(object) == 1), "an object is left with more or less than one reference");
    a.report_time(timed, "ns/pair");
}

fn lifo(a: &Arguments) {
    let timed = a.repeat(|_| {
        let sum: u64 = (0..NODES).map(|i| black_box(new(i, None, None)).key).sum();
        check(sum == NODES * (NODES - 1) / 2, "the payloads do not add up");
        NODES
    });
    a.report_time(timed, "ns/node");
}

fn fifo(a: &Arguments) {
    let size = a.size as usize;
    let timed = a.repeat(|_| {
        let mut row: Vec<Option<Ref>> = (0..size).map(|_| None).collect();
        let (mut sum, mut at) = (0, 0);
        for i in 0..NODES + a.size {
            if let Some(node) = row[at].take() {
                sum += node.key;
            }
            if i < NODES {
                row[at] = Some(new(i, None, None));
            }
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        check(sum == NODES * (NODES - 1) / 2, "the payloads do not add up");
        NODES
    });
    a.report_time(timed, "ns/node");
}

/// By the standard library's channel.
fn handover(a: &Arguments) {
    let (sender, receiver) = sync_channel::<Ref>(a.size as usize);
    let (begin, mut timed) = (Instant::now(), Timed::default());
    let taker = thread::spawn(move || {
        let mut taken = 0;
        for node in receiver {
            check(node.key == taken, "a node has come with a wrong payload");
            taken += 1;
        }
        taken
    });
    let mut made = 0;
    let taken = timed.during(|| {
        while made == 0 || begin.elapsed().as_secs_f64() < a.seconds {
            for _ in 0..NODES {
                sender.send(new(made, None, None)).unwrap();
                made += 1;
            }
        }
        drop(sender);
        taker.join().unwrap()
    });
    check(taken == made, "nodes have been lost");
    timed.operations = made;
    a.report_time(timed, "ns/node");
}

/// Each makes as many as it has places for; when all have, each drops its neighbour's.
fn storm(a: &Arguments) {
    let places: Vec<Mutex<Vec<Ref>>> = (0..a.threads).map(|_| Mutex::new(Vec::with_capacity(a.size as usize))).collect();
    let (together, is_over) = (Barrier::new(a.threads), AtomicBool::new(false));
    let timed = a.repeat(|index| {
        let (begin, mut operations) = (Instant::now(), 0);
        // Over: this thread's clock started later than the first's.
        while !is_over.load(Relaxed) {
            places[index].lock().unwrap().extend((0..a.size).map(|key| new(key, None, None)));
            together.wait();
            let sum: u64 = places[(index + 1) % a.threads].lock().unwrap().drain(..).map(|node| node.key).sum();
            check(sum == a.size * (a.size - 1) / 2, "the payloads do not add up");
            operations += a.size;
            if index == 0 && begin.elapsed().as_secs_f64() >= a.seconds {
                is_over.store(true, Relaxed); // the barrier orders it
            }
            together.wait();
        }
        operations
    });
    a.report_time(timed, "ns/node");
}

/// What one thread of a server leaves to the next: lists.
struct Lists {
    places: Vec<Option<Ref>>,
    random: Random,
    made: u64,
    dropped: u64,
    sum: u64,
}

impl Lists {
    fn drop_at(&mut self, at: usize) {
        let mut next = self.places[at].take();
        while let Some(node) = next {
            self.dropped += 1;
            self.sum = self.sum.wrapping_sub(node.key);
            next = node.left.lock().unwrap().take();
        }
    }

    /// What one thread does: lists of 1 to 8 nodes take the place of others.
    fn serve(&mut self) {
        for _ in 0..50000 {
            let (at, length) = (self.random.below(self.places.len() as u64) as usize, 1 + self.random.below(8));
            self.drop_at(at);
            for _ in 0..length {
                self.sum = self.sum.wrapping_add(self.made);
                self.places[at] = Some(new(self.made, self.places[at].take(), None));
                self.made += 1;
            }
        }
    }
}

/// Threads that end when they have replaced enough, and leave their lists to the next.
fn larson(a: &Arguments) {
    let lists: Vec<Mutex<Lists>> = (0..a.threads)
        .map(|i| {
            let places = (0..a.size).map(|_| None).collect();
            Mutex::new(Lists { places, random: Random(SEED + i as u64), made: 0, dropped: 0, sum: 0 })
        })
        .collect();
    let timed = a.repeat(|index| {
        let made = lists[index].lock().unwrap().made;
        thread::scope(|scope| scope.spawn(|| lists[index].lock().unwrap().serve()).join().unwrap());
        lists[index].lock().unwrap().made - made
    });
    for some in lists {
        let mut some = some.into_inner().unwrap();
        (0..some.places.len()).for_each(|at| some.drop_at(at));
        check(some.made == some.dropped && some.sum == 0, "nodes have been lost");
    }
    a.report_time(timed, "ns/node");
}

fn left(node: &Ref) -> Option<Ref> {
    node.left.lock().unwrap().clone()
}

fn ring_make(size: u64) -> Ref {
    let first = new(0, None, None);
    let mut at = first.clone();
    for i in 1..size {
        let next = new(i, None, None);
        *at.left.lock().unwrap() = Some(next.clone());
        at = next;
    }
    *at.left.lock().unwrap() = Some(first.clone());
    first
}

/// The sum of the keys if there are size nodes.
fn ring_sum(first: &Ref, size: u64) -> Option<u64> {
    let (mut sum, mut nodes, mut at) = (0, 0, first.clone());
    loop {
        sum += at.key;
        nodes += 1;
        at = left(&at)?;
        if nodes == size || same(&at, first) {
            return (nodes == size && same(&at, first)).then_some(sum);
        }
    }
}

fn rings(a: &Arguments) {
    let mut timed = a.repeat(|_| {
        let rings = NODES / a.size + 1;
        for i in 0..rings {
            let ring = ring_make(a.size);
            if i == 0 {
                check(ring_sum(&ring, a.size) == Some(a.size * (a.size - 1) / 2), "a ring is not what was made");
            }
            drop_ring(ring);
        }
        rings * a.size
    });
    timed.during(collect);
    a.report_time(timed, "ns/node");
}

/// Taken apart by hand: to drop the head would take a stack as deep as the list.
fn deep(a: &Arguments) {
    let mut timed = Timed::default();
    while timed.operations == 0 || a.goes_on(&timed) {
        let mut head = None;
        for i in 0..a.size {
            head = Some(new(i, head, None));
        }
        let (mut nodes, mut sum) = (0, 0);
        timed.during(|| {
            while let Some(node) = head {
                nodes += 1;
                sum += node.key;
                head = node.left.lock().unwrap().take();
            }
        });
        timed.operations += a.size;
        check(nodes == a.size && sum == a.size * (a.size - 1) / 2, "the list is not what was made");
    }
    a.report_time(timed, "ns/node");
}

// ---- trees ----

fn tree_make(depth: u64) -> Ref {
    match depth {
        0 => new(0, None, None),
        _ => new(depth, Some(tree_make(depth - 1)), Some(tree_make(depth - 1))),
    }
}

fn tree_count(node: &Ref) -> u64 {
    let below = |side: &Mutex<Option<Ref>>| side.lock().unwrap().as_ref().map_or(0, tree_count);
    1 + below(&node.left) + below(&node.right)
}

fn tree_nodes(depth: u64) -> u64 {
    (2 << depth) - 1
}

fn trees(a: &Arguments) {
    let timed = a.repeat(|index| {
        let (mut nodes, mut expected, mut keep) = (0, 0, None);
        if index == 0 {
            nodes += tree_count(&tree_make(a.size + 1));
            keep = Some(tree_make(a.size));
            expected += tree_nodes(a.size + 1) + tree_nodes(a.size);
        }
        for depth in (4..=a.size).step_by(2) {
            let trees = (1u64 << (a.size - depth + 4)) / a.threads as u64;
            expected += trees * tree_nodes(depth);
            nodes += (0..trees).map(|_| tree_count(&tree_make(depth))).sum::<u64>();
        }
        nodes += keep.as_ref().map_or(0, tree_count);
        check(nodes == expected, "not as many nodes as were made");
        nodes
    });
    a.report_time(timed, "ns/node");
}

fn populate(node: &Ref, depth: u64) {
    if depth == 0 {
        return;
    }
    let (left, right) = (new(0, None, None), new(0, None, None));
    *node.left.lock().unwrap() = Some(left.clone());
    *node.right.lock().unwrap() = Some(right.clone());
    populate(&left, depth - 1);
    populate(&right, depth - 1);
}

fn populated(depth: u64) -> Ref {
    let root = new(0, None, None);
    populate(&root, depth);
    root
}

fn gcbench(a: &Arguments) {
    let (stretch, most) = (a.size, a.size - 2); // 18 in the original
    let timed = a.repeat(|_| {
        let mut ok = tree_count(&tree_make(stretch)) == tree_nodes(stretch);
        let keep = populated(most);
        let array: Vec<f64> = (0..500000).map(|i| 1.0 / f64::from(i + 1)).collect();
        for depth in (4..=most).step_by(2) {
            let trees = 2 * tree_nodes(stretch) / tree_nodes(depth);
            for make in [populated, tree_make] {
                for i in 0..trees {
                    let root = make(depth);
                    ok &= i != 0 || tree_count(&root) == tree_nodes(depth);
                }
            }
        }
        ok &= tree_count(&keep) == tree_nodes(most) && black_box(array)[1000] == 1.0 / 1001.0;
        check(ok, "a tree is not what was made");
        1
    });
    a.report("time", timed.seconds / timed.operations as f64, "s", timed.operations);
}

fn balanced(nodes: u64) -> Option<Ref> {
    let below = nodes.checked_sub(1)?;
    Some(new(nodes, balanced(below / 2), balanced(below - below / 2)))
}

fn memory(a: &Arguments) {
    let before = resident("VmRSS");
    let keep = balanced(a.size);
    collect();
    let after = resident("VmRSS");
    check(keep.as_ref().map_or(0, tree_count) == a.size, "not as many nodes as were made");
    a.report("resident", (after - before) / a.size as f64, "bytes/node", a.size);
}

// ---- graphs ----

fn graph_make(size: u64) -> Ref {
    let mut random = Random(SEED);
    let order = shuffled(size, &mut random);
    let nodes: Vec<Ref> = (0..size).map(|key| new(key, None, None)).collect();
    for (i, &at) in order.iter().enumerate() {
        let node = &nodes[at as usize];
        *node.left.lock().unwrap() = Some(nodes[order[(i + 1) % order.len()] as usize].clone());
        *node.right.lock().unwrap() = Some(nodes[random.below(size) as usize].clone());
    }
    nodes[order[0] as usize].clone()
}

fn graph_check(graph: &Ref, size: u64) {
    check(ring_sum(graph, size) == Some(size * (size - 1) / 2), "the graph is not what was made");
}

fn collect_live(a: &Arguments) {
    if !COLLECTS {
        return a.skip("no collector");
    }
    let graph = graph_make(a.size);
    collect();
    let mut timed = Timed::default();
    while timed.operations == 0 || a.goes_on(&timed) {
        graph_check(&graph, a.size); // and all of it is a candidate again
        timed.during(collect);
        timed.operations += a.size;
    }
    graph_check(&graph, a.size);
    a.report_time(timed, "ns/node");
}

fn collect_garbage(a: &Arguments) {
    let mut timed = Timed::default();
    while timed.operations == 0 || a.goes_on(&timed) {
        let graph = graph_make(a.size);
        graph_check(&graph, a.size);
        collect();
        timed.during(|| {
            drop_ring(graph);
            collect();
        });
        timed.operations += a.size;
    }
    a.report_time(timed, "ns/node");
}

/// A range is a hundred-and-twenty-eighth of the value it begins with.
struct Histogram {
    counts: Vec<u64>,
    samples: u64,
    max: u64,
}

impl Histogram {
    fn new() -> Histogram {
        Histogram { counts: vec![0; 40 << 7], samples: 0, max: 0 }
    }

    fn add(&mut self, value: u64) {
        let shift = if value > 127 { 56 - value.leading_zeros() } else { 0 };
        self.counts[((shift as usize) << 7) + (value >> shift) as usize] += 1;
        self.samples += 1;
        self.max = self.max.max(value);
    }

    fn percentile(&self, share: f64) -> f64 {
        let mut below = 0;
        for (i, count) in self.counts.iter().enumerate() {
            below += count;
            if *count != 0 && below as f64 >= share * self.samples as f64 {
                let shift = if i >= 256 { (i >> 7) - 1 } else { 0 };
                return ((i - (shift << 7)) << shift) as f64;
            }
        }
        self.max as f64
    }

    fn merge(&mut self, more: &Histogram) {
        for (count, others) in self.counts.iter_mut().zip(&more.counts) {
            *count += others;
        }
        self.samples += more.samples;
        self.max = self.max.max(more.max);
    }

    /// Percentiles of nanoseconds, and the curve of them.
    fn report(&self, a: &Arguments, name: &str) {
        for (metric, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)] {
            a.report(metric, self.percentile(share), "ns", self.samples);
        }
        a.report("max", self.max as f64 * 1e-6, "ms", self.samples);
        let told = SHARES.iter().filter(|&share| (1.0 - share) * self.samples as f64 >= 10.0);
        let points: String = told.map(|&share| format!("[{share}, {:.1}], ", self.percentile(share))).collect();
        println!(
            "{{\"workload\": \"{}\", \"size\": {}, \"threads\": {}, \"curve\": \"{name}\", \"unit\": \"ns\", \
             \"points\": [{points}[1, {}]]}}",
            a.workload, a.size, a.threads, self.max
        );
    }
}

/// As far as ten samples are beyond.
const SHARES: [f64; 13] =
    [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999];

fn pause(a: &Arguments) {
    if a.threads == 2 && !COLLECTS {
        return a.skip("no collector");
    }
    let graph = graph_make(a.size);
    collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let told = is_over.clone();
    let probe = thread::spawn(move || {
        let mut rounds = Histogram::new();
        let (begin, mut last, mut lost) = (Instant::now(), 0, 0);
        while !told.load(Relaxed) {
            drop_ring(ring_make(4));
            let now = begin.elapsed().as_nanos() as u64;
            let took = now - last;
            rounds.add(took);
            lost += if took > GAP_NS { took } else { 0 };
            last = now;
        }
        (rounds, lost, last)
    });
    let (begin, mut collections) = (Instant::now(), 0);
    while begin.elapsed().as_secs_f64() < a.seconds {
        if a.threads == 2 {
            graph_check(&graph, a.size); // a reader, and all of it is a candidate again
            collect();
            collections += 1;
        } else {
            thread::sleep(Duration::from_millis(10));
        }
    }
    is_over.store(true, Relaxed);
    let (rounds, lost, all) = probe.join().unwrap();
    let (took, bytes) = (begin.elapsed().as_secs_f64(), resident("VmRSS"));
    graph_check(&graph, a.size);
    rounds.report(a, "a ring of four made and dropped");
    a.report("lost", 100.0 * lost as f64 / all as f64, "%", rounds.samples);
    a.report("resident", bytes * 1e-6, "MB", rounds.samples);
    if a.threads == 2 {
        a.report("collections", collections as f64 / took, "/s", collections);
    }
}

// ---- a server with sessions, under a load that does not wait for it ----

const SESSIONS: u64 = 16384;
const SESSION: u64 = 10;
const DEPTH: u64 = 5;
const LOCKS: u64 = 64;

/// Reads a session, puts a new one in its place, and builds an answer that is dropped.
fn serve(sessions: &[Mutex<Vec<Ref>>], key: u64) -> bool {
    let fresh = ring_make(SESSION);
    let (old, sum) = {
        let mut some = sessions[(key % LOCKS) as usize].lock().unwrap();
        let place = &mut some[(key / LOCKS) as usize];
        let sum = ring_sum(place, SESSION);
        (std::mem::replace(place, fresh), sum)
    };
    drop_ring(old);
    let answer = tree_make(DEPTH);
    sum == Some(SESSION * (SESSION - 1) / 2) && tree_count(&answer) == tree_nodes(DEPTH)
}

/// A request's latency counts from when it was due.
fn server(a: &Arguments) {
    let sessions: Vec<Mutex<Vec<Ref>>> =
        (0..LOCKS).map(|_| Mutex::new((0..SESSIONS / LOCKS).map(|_| ring_make(SESSION)).collect())).collect();
    let totals = Mutex::new((Histogram::new(), 0, 0));
    a.repeat(|index| {
        let (mut random, mut latencies, mut due, mut served) = (Random(SEED + index as u64), Histogram::new(), 0, 0);
        let (mean, end, mut arrival, mut ok) = (a.threads as u64 * 1000000000 / a.size, (a.seconds * 1e9) as u64, 0, true);
        let begin = Instant::now();
        let now = || begin.elapsed().as_nanos() as u64;
        let wait_until = |due| {
            while now() < due {
                thread::yield_now();
            }
        };
        loop {
            arrival += random.below(2 * mean);
            if arrival >= end {
                break;
            }
            due += 1;
            if now() >= 2 * end {
                continue; // could not be served in time
            }
            wait_until(arrival);
            ok &= serve(&sessions, random.below(SESSIONS));
            latencies.add(now() - arrival);
            served += 1;
        }
        wait_until(end);
        check(ok, "a session or an answer is not what was made");
        let mut all = totals.lock().unwrap();
        all.0.merge(&latencies);
        all.1 += due;
        all.2 += served;
        served
    });
    let rings = sessions.into_iter().flat_map(|some| some.into_inner().unwrap());
    for ring in rings {
        check(ring_sum(&ring, SESSION) == Some(SESSION * (SESSION - 1) / 2), "a session is not what was made");
        drop_ring(ring);
    }
    let (latencies, due, served) = totals.into_inner().unwrap();
    latencies.report(a, "from when a request was due to its answer");
    a.report("served", 100.0 * served as f64 / due as f64, "%", due);
}

// ---- which ----

fn run(a: &Arguments) -> bool {
    let most = match a.workload.as_str() {
        "gcbench" | "deep" | "collect-live" | "collect-garbage" | "memory" => 1,
        "handover" | "pause" => 2,
        _ => 8,
    };
    if (a.workload == "storm" && a.threads < 2) || a.size == 0 || a.threads == 0 || a.threads > most {
        return false;
    }
    match a.workload.as_str() {
        "trees" => trees(a),
        "gcbench" => gcbench(a),
        "retain-own" => retain(a, false),
        "retain-shared" => retain(a, true),
        "lifo" => lifo(a),
        "fifo" => fifo(a),
        "handover" => handover(a),
        "storm" => storm(a),
        "larson" => larson(a),
        "server" => server(a),
        "rings" => rings(a),
        "deep" => deep(a),
        "collect-live" => collect_live(a),
        "collect-garbage" => collect_garbage(a),
        "pause" => pause(a),
        "lookup" | "lookup-writer" => a.skip("no references that change under readers without another crate"),
        "memory" => memory(a),
        _ => return false,
    }
    true
}

pub fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.len() == 5 {
        let arguments = Arguments {
            workload: words[1].clone(),
            size: words[2].parse().unwrap_or(0),
            threads: words[3].parse().unwrap_or(0),
            seconds: words[4].parse().unwrap_or(0.0),
            begun: Instant::now(),
        };
        // The collector of dumpster recurs as deep as the graph has a path, on the stack of who asks for it.
        let work = thread::Builder::new().stack_size(4 << 30).spawn(move || run(&arguments)).unwrap();
        if work.join().unwrap_or(false) {
            exit(i32::from(WRONG.load(Relaxed)));
        }
    }
    eprintln!("usage: peer WORKLOAD SIZE THREADS SECONDS");
    exit(2);
}
