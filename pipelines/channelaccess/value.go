package channelaccess

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Types of data: the native ones, of which few differ from text here, and those with
// alarm and time in which they are asked for.
const (
	nativeFloat  = 2
	nativeChar   = 4
	nativeDouble = 6
	timeString   = 14
	timeChar     = 18
	timeDouble   = 20
)

// Where the value begins in each, after severity, alarm and time; and the size of
// what it is made of.
const (
	stringAt, stringSize = 12, 40
	charAt               = 15
	doubleAt, doubleSize = 16, 8
)

const (
	mostElements = 16  // of an array
	mostChars    = 256 // of an array of characters, which is a text as a rule
)

// epoch is that of EPICS, 1990, in seconds of Unix.
const epoch = 631152000

// question is how a PV is asked for; zero while that is not known.
type question struct {
	kind, native uint16
	count        uint32 // 0 for all that there are, which are few then
	cut          bool   // there may be more elements
}

// ask returns how a PV of a native type is asked for, of which an array has at most
// so many elements. What is no number with a fraction comes as text, which the IOC
// makes: it knows the words of an enumeration.
func ask(native uint16, count uint32) question {
	q := question{kind: timeString, native: native, count: 1}
	most := uint32(mostElements)
	switch {
	case native == nativeChar && count > 1:
		q.kind, most = timeChar, mostChars
	case native == nativeFloat || native == nativeDouble:
		q.kind = timeDouble
	}
	if count != 1 {
		q.count = 0
	}
	if count > most {
		q.count, q.cut = most, true
	}
	return q
}

// severities and alarms are the names of EPICS, by number.
var (
	severities = []string{"NO_ALARM", "MINOR", "MAJOR", "INVALID"}
	alarms     = []string{
		"NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT", "HWLIMIT",
		"CALC", "SCAN", "LINK", "SOFT", "BAD_SUB", "UDF", "DISABLE", "SIMM", "READ_ACCESS", "WRITE_ACCESS",
	}
)

// read reads the answer to a question.
func (q question) read(m message) (Answer, error) {
	starts := map[uint16]int{timeString: stringAt, timeChar: charAt, timeDouble: doubleAt}
	start, known := starts[m.kind]
	if !known || m.kind != q.kind || len(m.payload) < start {
		return Answer{}, errors.New("the answer is no value of the type that was asked for")
	}
	a := Answer{
		Alarm:    nameOf(alarms, binary.BigEndian.Uint16(m.payload)),
		Severity: nameOf(severities, binary.BigEndian.Uint16(m.payload[2:])),
	}
	if seconds := binary.BigEndian.Uint32(m.payload[4:]); seconds > 0 {
		a.Time = time.Unix(epoch+int64(seconds), int64(binary.BigEndian.Uint32(m.payload[8:]))).UTC()
	}
	data := m.payload[start:]
	if m.kind == timeChar {
		a.Value = q.chars(data[:min(len(data), mostChars, int(min(m.count, mostChars)))])
		return a, nil
	}
	all := q.elements(data, int(min(m.count, mostElements)))
	if q.count == 1 {
		if len(all) == 0 {
			return Answer{}, errors.New("the answer has no value")
		}
		a.Value = all[0]
		return a, nil
	}
	a.Value = q.list(all)
	return a, nil
}

// elements returns at most so many elements of strings or numbers, as text.
func (q question) elements(data []byte, most int) (all []string) {
	for len(all) < most && len(data) > 0 {
		if q.kind == timeString {
			text := data[:min(stringSize, len(data))]
			data = data[len(text):]
			text, _, _ = bytes.Cut(text, []byte{0})
			all = append(all, printable(string(text)))
			continue
		}
		if len(data) < doubleSize {
			break
		}
		digits := 15 // as ioc-ask prints them
		if q.native == nativeFloat {
			digits = 7
		}
		number := math.Float64frombits(binary.BigEndian.Uint64(data))
		all = append(all, strconv.FormatFloat(number, 'g', digits, 64))
		data = data[doubleSize:]
	}
	return all
}

// chars returns an array of characters: as the text that it is, or as numbers.
func (q question) chars(data []byte) string {
	text, _, ended := bytes.Cut(data, []byte{0})
	whole := string(text)
	if q.cut && !ended { // the last character may be cut in half
		for range utf8.UTFMax - 1 {
			if !utf8.ValidString(whole) && whole != "" {
				whole = whole[:len(whole)-1]
			}
		}
	}
	if utf8.ValidString(whole) && printable(whole) == whole {
		if q.cut && !ended {
			whole += "…"
		}
		return whole
	}
	var all []string
	for _, c := range data[:min(len(data), mostElements)] {
		all = append(all, strconv.Itoa(int(c)))
	}
	return question{cut: q.cut || len(data) > mostElements}.list(all)
}

// list returns the elements of an array.
func (q question) list(all []string) string {
	if q.cut {
		all = append(slices.Clone(all), "…")
	}
	return "[" + strings.Join(all, ",") + "]"
}

// printable returns a text with a mark in place of what can't be shown.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}

// nameOf returns a name by its number, or the number.
func nameOf(names []string, number uint16) string {
	if int(number) < len(names) {
		return names[number]
	}
	return strconv.Itoa(int(number))
}
