// SPDX-License-Identifier: MIT

package main

import "runtime"

const depthMin = 4

var keep *node

func treeMake(depth uint64) *node {
	if depth == 0 {
		return newNode(0)
	}
	left, right := treeMake(depth-1), treeMake(depth-1)
	n := newNode(depth)
	n.left, n.right = left, right
	return n
}

func (n *node) count() uint64 {
	total := uint64(1)
	if n.left != nil {
		total += n.left.count()
	}
	if n.right != nil {
		total += n.right.count()
	}
	return total
}

func treeNodes(depth uint64) uint64 { return 2<<depth - 1 }

// ---- the benchmark game's ----

func trees() {
	before := live()
	t := repeat(func(index int) uint64 {
		var count, expected uint64
		if index == 0 {
			count += treeMake(size + 1).count()
			keep = treeMake(size)
			expected += treeNodes(size+1) + treeNodes(size)
		}
		for depth := uint64(depthMin); depth <= size; depth += 2 {
			trees := uint64(1) << (size - depth + depthMin) / uint64(threads)
			expected += trees * treeNodes(depth)
			for ; trees > 0; trees-- {
				count += treeMake(depth).count()
			}
		}
		if index == 0 {
			count += keep.count()
			keep = nil
		}
		check(count == expected, "not as many nodes as were made")
		return count
	})
	checkLive(before)
	t.report("ns/node")
}

// ---- GCBench: size is the depth of the first tree, 18 in the original ----

const (
	array = 500000
	least = 4
)

func populate(n *node, depth uint64) {
	if depth == 0 {
		return
	}
	n.left, n.right = newNode(0), newNode(0)
	populate(n.left, depth-1)
	populate(n.right, depth-1)
}

func populated(depth uint64) *node {
	root := newNode(0)
	populate(root, depth)
	return root
}

func gcbench() {
	before := live()
	t := repeat(func(int) uint64 {
		stretch, most := size, size-2
		ok := treeMake(stretch).count() == treeNodes(stretch)
		keep = populated(most)
		numbers := make([]float64, array)
		for i := range numbers {
			numbers[i] = 1 / float64(i+1)
		}
		for depth := uint64(least); depth <= most; depth += 2 {
			trees := 2 * treeNodes(stretch) / treeNodes(depth)
			for i := uint64(0); i < trees; i++ {
				root := populated(depth)
				ok = ok && (i != 0 || root.count() == treeNodes(depth))
			}
			for i := uint64(0); i < trees; i++ {
				root := treeMake(depth)
				ok = ok && (i != 0 || root.count() == treeNodes(depth))
			}
		}
		ok = ok && keep.count() == treeNodes(most) && numbers[1000] == 1/float64(1001)
		keep = nil
		check(ok, "a tree is not what was made")
		return 1
	})
	checkLive(before)
	report("time", t.seconds/float64(t.operations), "s", t.operations)
}

// ---- memory ----

func balanced(count uint64) *node {
	if count == 0 {
		return nil
	}
	n := newNode(count)
	left := (count - 1) / 2
	n.left = balanced(left)
	n.right = balanced(count - 1 - left)
	return n
}

func memory() {
	runtime.GC()
	before := resident("VmRSS")
	keep = balanced(size)
	runtime.GC()
	after := resident("VmRSS")
	check(keep.count() == size, "not as many nodes as were made")
	report("resident", (after-before)/float64(size), "bytes/node", size)
}
