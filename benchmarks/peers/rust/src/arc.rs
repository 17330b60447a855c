// SPDX-License-Identifier: MIT

//! The heap of the Rust peers: `Arc`. Cycles are taken apart by hand.

use std::sync::{Arc, Mutex};

mod workloads;

pub struct Node {
    pub left: Mutex<Option<Ref>>,
    pub right: Mutex<Option<Ref>>,
    pub key: u64,
    pub value: u64,
}

pub type Ref = Arc<Node>;

pub const COLLECTS: bool = false;

pub fn new(key: u64, left: Option<Ref>, right: Option<Ref>) -> Ref {
    Arc::new(Node { left: Mutex::new(left), right: Mutex::new(right), key, value: 0 })
}

pub fn count(node: &Ref) -> usize {
    Arc::strong_count(node)
}

pub fn same(a: &Ref, b: &Ref) -> bool {
    Arc::ptr_eq(a, b)
}

/// A ring along `left`, or the random graph. Each node is held by the one before it until both of its references are
/// gone, so nothing is dropped from within a drop.
pub fn drop_ring(first: Ref) {
    let mut at = Some(first);
    while let Some(node) = at {
        at = node.left.lock().unwrap().take();
        drop(node.right.lock().unwrap().take());
    }
}

pub fn collect() {}

fn main() {
    workloads::main()
}
