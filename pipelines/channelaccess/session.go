package channelaccess

import (
	"errors"
	"fmt"
	"io"
)

// longestName is that of a PV, in bytes: records have at most 60 and fields 4, and a
// channel's options may follow.
const longestName = 1000

// session is what is said over one connection.
type session struct {
	out      io.Writer
	answers  []Answer  // by the number of a channel
	channels []channel // beside them
	open     int       // of which nothing is known yet
	greeted  bool      // the server said anything
}

// channel is how far the question for a PV got.
type channel struct {
	want question
	done bool // there is an answer, or why there is none
}

func newSession(out io.Writer, pvs []string) *session {
	s := &session{
		out: out, answers: make([]Answer, len(pvs)), channels: make([]channel, len(pvs)), open: len(pvs),
	}
	for i, pv := range pvs {
		s.answers[i].PV = pv
	}
	return s
}

// run asks, and reads what the server sends until all is answered.
func (s *session) run(in io.Reader) error {
	text := message{command: version, count: minorVersion}.bytes()
	text = append(text, message{command: clientName, payload: padded("tagline")}.bytes()...)
	for i := range s.answers {
		pv := s.answers[i].PV
		if pv == "" || len(pv) > longestName {
			s.fail(i, errors.New("that is no name of a PV"))
			continue
		}
		create := message{command: createChan, first: uint32(i), second: minorVersion, payload: padded(pv)}
		text = append(text, create.bytes()...)
	}
	if _, err := s.out.Write(text); err != nil {
		return err
	}
	for s.open > 0 {
		m, err := readMessage(in)
		if err != nil {
			return err
		}
		s.greeted = true
		if err := s.take(m); err != nil {
			return err
		}
	}
	return nil
}

// take takes one message of the server. Those of no interest pass, and so do those
// about what was not asked.
func (s *session) take(m message) error {
	switch m.command {
	case createChan:
		if s.waits(m.first) && s.channels[m.first].want == (question{}) {
			q := ask(m.kind, m.count)
			s.channels[m.first].want = q
			_, err := s.out.Write(message{
				command: readNotify, kind: q.kind, count: q.count, first: m.second, second: m.first,
			}.bytes())
			return err
		}
	case readNotify:
		if s.waits(m.second) {
			s.answer(int(m.second), m)
		}
	case createFailed:
		if s.waits(m.first) {
			s.fail(int(m.first), ErrNotServed)
		}
	case failure:
		if s.waits(m.first) {
			s.fail(int(m.first), refusal(m.second))
		}
	case disconnected:
		if s.waits(m.first) {
			s.fail(int(m.first), errors.New("the IOC closed the channel"))
		}
	}
	return nil
}

// waits reports whether there is a channel of that number, without an answer.
func (s *session) waits(number uint32) bool {
	return int64(number) < int64(len(s.channels)) && !s.channels[number].done
}

func (s *session) fail(i int, err error) {
	s.answers[i].Err = err
	s.channels[i].done = true
	s.open--
}

// answer takes the answer to a question.
func (s *session) answer(i int, m message) {
	if m.first != normal {
		s.fail(i, refusal(m.first))
		return
	}
	a, err := s.channels[i].want.read(m)
	if err != nil {
		s.fail(i, err)
		return
	}
	a.PV = s.answers[i].PV
	s.answers[i] = a
	s.channels[i].done = true
	s.open--
}

// Status codes of Channel Access.
const (
	normal       = 1
	getFailed    = 152
	noReadAccess = 368
)

// refusal returns what a status code says.
func refusal(code uint32) error {
	switch code {
	case getFailed:
		return errors.New("the IOC could not read it")
	case noReadAccess:
		return errors.New("access security of the IOC denies reading it")
	}
	return fmt.Errorf("the IOC answered with status %d of Channel Access", code)
}
