package strictyaml

import (
	"fmt"
	"strings"
	"unicode"
)

// longest is the length in bytes past which no word was merely misspelled.
const longest = 64

// Near returns the one of words that was most likely meant by got: it differs in
// case only, or by at most one letter in three (an exchange of two neighbours
// counts as one), as a whole or from its first capital on: hostNetwrok is near
// network. It is empty when none is near.
func Near[T ~string](got T, words []T) T {
	if len(got) > longest {
		return ""
	}
	if near := nearest(got, words); near != "" {
		return near
	}
	if i := strings.IndexFunc(string(got), unicode.IsUpper); i > 0 {
		return nearest(T(strings.ToLower(string(got[i:]))), words)
	}
	return ""
}

// Meant returns the fix for a name that is not known: the one of names that was
// meant, or otherwise where none is near.
func Meant(got string, names []string, otherwise string) string {
	if near := Near(got, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// nearest returns the word that differs least, where it is near.
func nearest[T ~string](got T, words []T) T {
	best, least := T(""), len([]rune(got))/3+1
	for _, w := range words {
		if strings.EqualFold(string(got), string(w)) {
			return w
		}
		if d := distance(got, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to add, remove, replace or exchange with a
// neighbour to get from a to b (optimal string alignment).
func distance[T ~string](a, b T) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range t {
		rows[0][j+1] = j + 1
	}
	for i := range s {
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			least := min(rows[i][j]+cost, rows[i][j+1]+1, rows[i+1][j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				least = min(least, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = least
		}
	}
	return rows[len(s)][len(t)]
}
