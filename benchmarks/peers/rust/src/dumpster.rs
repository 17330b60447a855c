// SPDX-License-Identifier: MIT

//! The heap of the Rust peers: `dumpster::sync`. Cycles are the collector's business.

use std::sync::Mutex;

use dumpster::{sync::Gc, Trace};

mod workloads;

#[derive(Trace)]
pub struct Node {
    pub left: Mutex<Option<Ref>>,
    pub right: Mutex<Option<Ref>>,
    pub key: u64,
    pub value: u64,
}

pub type Ref = Gc<Node>;

pub const COLLECTS: bool = true;

pub fn new(key: u64, left: Option<Ref>, right: Option<Ref>) -> Ref {
    Gc::new(Node { left: Mutex::new(left), right: Mutex::new(right), key, value: 0 })
}

pub fn count(node: &Ref) -> usize {
    Gc::ref_count(node).get()
}

pub fn same(a: &Ref, b: &Ref) -> bool {
    Gc::ptr_eq(a, b)
}

pub fn drop_ring(first: Ref) {
    drop(first);
}

pub fn collect() {
    dumpster::sync::collect();
}

fn main() {
    workloads::main()
}
