package channelaccess

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// How a PV is asked for follows from its native type and from how many elements it has.
func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		native uint16
		count  uint32
		want   question
	}{
		"a number":                 {nativeDouble, 1, question{timeDouble, nativeDouble, 1, false}},
		"a float":                  {nativeFloat, 1, question{timeDouble, nativeFloat, 1, false}},
		"a whole number":           {5, 1, question{timeString, 5, 1, false}},
		"a string":                 {0, 1, question{timeString, 0, 1, false}},
		"a character":              {nativeChar, 1, question{timeString, nativeChar, 1, false}},
		"an array of none":         {nativeDouble, 0, question{timeDouble, nativeDouble, 0, false}},
		"an array":                 {nativeDouble, 16, question{timeDouble, nativeDouble, 0, false}},
		"a longer one":             {nativeDouble, 17, question{timeDouble, nativeDouble, 16, true}},
		"strings":                  {0, 17, question{timeString, 0, 16, true}},
		"characters":               {nativeChar, 256, question{timeChar, nativeChar, 0, false}},
		"two characters":           {nativeChar, 2, question{timeChar, nativeChar, 0, false}},
		"more characters":          {nativeChar, 257, question{timeChar, nativeChar, 256, true}},
		"as many as there can be":  {nativeDouble, math.MaxUint32, question{timeDouble, nativeDouble, 16, true}},
		"a type that nobody knows": {99, 2, question{timeString, 99, 0, false}},
	} {
		require.Equal(t, c.want, ask(c.native, c.count), name)
	}
}

// answered is the answer to a question, of a kind, with a severity, an alarm and data.
func answered(kind, alarm, severity uint16, count uint32, data []byte) message {
	head := make([]byte, map[uint16]int{timeString: stringAt, timeChar: charAt, timeDouble: doubleAt}[kind])
	binary.BigEndian.PutUint16(head[0:], alarm)
	binary.BigEndian.PutUint16(head[2:], severity)
	return message{command: readNotify, kind: kind, count: count, first: normal, payload: append(head, data...)}
}

// Alarms and severities have their names; one that EPICS has not yet has its number. A
// record that was never processed has no time.
func TestAlarms(t *testing.T) {
	for _, c := range []struct {
		alarm, severity uint16
		want            string
	}{
		{0, 0, "NO_ALARM NO_ALARM"}, {3, 2, "HIHI MAJOR"}, {5, 2, "LOLO MAJOR"}, {9, 3, "COMM INVALID"},
		{17, 3, "UDF INVALID"}, {21, 1, "WRITE_ACCESS MINOR"}, {22, 4, "22 4"}, {65535, 65535, "65535 65535"},
	} {
		a, err := ask(nativeDouble, 1).read(answered(timeDouble, c.alarm, c.severity, 1, doubles(1)))
		require.NoError(t, err)
		require.Equal(t, c.want, a.Alarm+" "+a.Severity)
		require.True(t, a.Time.IsZero())
	}
}

// What comes is read as far as it is there, whatever count is said to come.
func TestValues(t *testing.T) {
	many := func(count uint32) question { return ask(nativeDouble, count) }
	text := func(count uint32) question { return ask(nativeChar, count) }
	for name, c := range map[string]struct {
		ask  question
		m    message
		want string
	}{
		"fewer than it says": {many(4), answered(timeDouble, 0, 0, 4, doubles(1, 2)), "[1,2]"},
		"more than it says":  {many(4), answered(timeDouble, 0, 0, 1, doubles(1, 2)), "[1]"},
		"half a number":      {many(4), answered(timeDouble, 0, 0, 4, doubles(1, 2)[:12]), "[1]"},
		"all of a cut array": {many(17), answered(timeDouble, 0, 0, 1, doubles(1)), "[1,…]"},
		"no limit": {
			many(0), answered(timeDouble, 0, 0, math.MaxUint32, doubles(make([]float64, 20)...)),
			"[" + strings.Repeat("0,", 15) + "0]",
		},
		"half a string": {ask(0, 1), answered(timeString, 0, 0, 1, []byte("Op")), "Op"},
		"strings without an end": {
			ask(0, 2), answered(timeString, 0, 0, 2, []byte(strings.Repeat("a", 80))),
			"[" + strings.Repeat("a", 40) + "," + strings.Repeat("a", 40) + "]",
		},
		"infinite":   {many(1), answered(timeDouble, 0, 0, 1, doubles(math.Inf(-1))), "-Inf"},
		"no number":  {many(1), answered(timeDouble, 0, 0, 1, doubles(math.NaN())), "NaN"},
		"a fraction": {many(1), answered(timeDouble, 0, 0, 1, doubles(0.1)), "0.1"},
		"a large number": {
			many(1), answered(timeDouble, 0, 0, 1, doubles(123456789012345678)),
			"1.23456789012346e+17",
		},
		"a float's digits": {
			ask(nativeFloat, 1), answered(timeDouble, 0, 0, 1, doubles(0.123456789)),
			"0.1234568",
		},
		"no text":                {text(9), answered(timeChar, 0, 0, 0, nil), ""},
		"a text":                 {text(9), answered(timeChar, 0, 0, 9, []byte("a b\x00cd")), "a b"},
		"less text than it says": {text(9), answered(timeChar, 0, 0, 9, []byte("ab")), "ab"},
		"more text than it says": {text(9), answered(timeChar, 0, 0, 1, []byte("ab")), "a"},
		"half a character":       {text(9), answered(timeChar, 0, 0, 2, []byte("aµ")), "[97,194]"},
		"half a character, cut":  {text(300), answered(timeChar, 0, 0, 2, []byte("aµ")), "a…"},
		"bytes": {
			text(99), answered(timeChar, 0, 0, 17, bytes.Repeat([]byte{7}, 17)),
			"[" + strings.Repeat("7,", 16) + "…]",
		},
		"as many bytes as shown": {
			text(99), answered(timeChar, 0, 0, 16, bytes.Repeat([]byte{7}, 16)),
			"[" + strings.Repeat("7,", 15) + "7]",
		},
		"bytes of a cut array": {
			text(300), answered(timeChar, 0, 0, 4, []byte{255, 254, 253, 252}), "[255,254,253,252,…]",
		},
		"a long text": {
			text(300), answered(timeChar, 0, 0, 300, bytes.Repeat([]byte("a"), 300)),
			strings.Repeat("a", 256) + "…",
		},
		"a long text with an end": {text(300), answered(timeChar, 0, 0, 256, []byte("a\x00")), "a"},
		"what steers a terminal": {
			ask(0, 1), answered(timeString, 0, 0, 1, []byte("a\x1b[2J\u202eb")),
			"a\uFFFD[2J\uFFFDb",
		},
		"a text that is no UTF-8":  {ask(0, 1), answered(timeString, 0, 0, 1, []byte("\x9b2J")), "\uFFFD2J"},
		"a text of bytes and ends": {text(9), answered(timeChar, 0, 0, 3, []byte{0, 1, 2}), ""},
	} {
		a, err := c.ask.read(c.m)
		require.NoError(t, err, name)
		require.Equal(t, c.want, a.Value, name)
	}
	for name, m := range map[string]message{
		"another type":   answered(timeString, 0, 0, 1, strings40("1")),
		"a short answer": {kind: timeDouble, count: 1, payload: make([]byte, doubleAt-1)},
		"no such type":   {kind: 7, count: 1, payload: make([]byte, 99)},
	} {
		_, err := many(1).read(m)
		require.EqualError(t, err, "the answer is no value of the type that was asked for", name)
	}
	_, err := many(1).read(answered(timeDouble, 0, 0, 0, doubles(1)))
	require.EqualError(t, err, "the answer has no value")
}

// A message is read as it was written, and what follows is left for the next.
func TestMessagesAreReadAsWritten(t *testing.T) {
	for _, m := range []message{
		{}, {command: 1, kind: 2, count: 3, first: 4, second: 5, payload: []byte("12345678")},
		{command: math.MaxUint16, kind: math.MaxUint16, count: math.MaxUint16, first: math.MaxUint32, second: 1},
		{payload: make([]byte, mostPayload)},
	} {
		in := bytes.NewReader(append(m.bytes(), "rest"...))
		got, err := readMessage(in)
		require.NoError(t, err)
		if m.payload == nil {
			m.payload = []byte{}
		}
		require.Equal(t, m, got)
		rest, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Equal(t, "rest", string(rest))
	}
	_, err := readMessage(bytes.NewReader(message{payload: make([]byte, mostPayload+1)}.bytes()))
	require.EqualError(t, err, "it sent a message of 8193 bytes, where 8192 are the most")
	for text, want := range map[string]int{"": 8, "a": 8, "1234567": 8, "12345678": 16, "123456789": 16} {
		require.Len(t, padded(text), want, text)
		require.Equal(t, text, strings.TrimRight(string(padded(text)), "\x00"))
	}
}

// Status codes of which a person can know something say it.
func TestRefusals(t *testing.T) {
	require.EqualError(t, refusal(getFailed), "the IOC could not read it")
	require.EqualError(t, refusal(noReadAccess), "access security of the IOC denies reading it")
	require.EqualError(t, refusal(80), "the IOC answered with status 80 of Channel Access")
}
