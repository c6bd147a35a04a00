package recipefile

import (
	"slices"
	"strings"
)

// cycles finds the ways round in a graph of names, each as the names on it,
// the one that closes it last; edges returns the names a name leads to. The
// order is the same for the same graph.
func cycles[T ~string](names []T, edges func(T) []T) [][]T {
	var found [][]T
	var path []T
	done := map[T]bool{}
	var visit func(T)
	visit = func(n T) {
		if i := slices.Index(path, n); i >= 0 {
			found = append(found, slices.Clone(path[i:]))
			return
		}
		if done[n] {
			return
		}
		path = append(path, n)
		for _, next := range edges(n) {
			visit(next)
		}
		path = path[:len(path)-1]
		done[n] = true
	}
	for _, n := range slices.Sorted(slices.Values(names)) {
		visit(n)
	}
	return found
}

// round returns a cycle as people read it: "a → b → a".
func round[T ~string](cycle []T) string {
	return strings.Join(texts(append(slices.Clone(cycle), cycle[0])), " → ")
}
