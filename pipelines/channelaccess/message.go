package channelaccess

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Commands of the protocol, as the Channel Access protocol specification of EPICS
// Base numbers them.
const (
	version      = 0
	failure      = 11
	readNotify   = 15
	createChan   = 18
	clientName   = 20
	createFailed = 26
	disconnected = 27
)

// minorVersion is that of the protocol: 4.13, which can ask for all that an array has.
const minorVersion = 13

const (
	headerSize  = 16
	mostPayload = 8 << 10 // bytes in a message: all that is asked for is shorter
	extended    = 0xffff  // the payload's size in a header that is followed by the true one
)

// message is one message of the protocol.
type message struct {
	command, kind uint16 // kind is the type of the data, or what the command makes of it
	count         uint32 // of elements
	first, second uint32 // the parameters
	payload       []byte
}

// readMessage reads one message. What it keeps is bounded, whatever the header says.
func readMessage(r io.Reader) (message, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return message{}, err
	}
	size := uint32(binary.BigEndian.Uint16(header[2:]))
	m := message{
		command: binary.BigEndian.Uint16(header[0:]), kind: binary.BigEndian.Uint16(header[4:]),
		count: uint32(binary.BigEndian.Uint16(header[6:])),
		first: binary.BigEndian.Uint32(header[8:]), second: binary.BigEndian.Uint32(header[12:]),
	}
	if size == extended {
		var more [8]byte
		if _, err := io.ReadFull(r, more[:]); err != nil {
			return message{}, err
		}
		size, m.count = binary.BigEndian.Uint32(more[0:]), binary.BigEndian.Uint32(more[4:])
	}
	if size > mostPayload {
		return message{}, fmt.Errorf("it sent a message of %d bytes, where %d are the most", size, mostPayload)
	}
	m.payload = make([]byte, size)
	_, err := io.ReadFull(r, m.payload)
	return m, err
}

// bytes returns a message that is sent, of at most mostPayload bytes.
func (m message) bytes() []byte {
	text := make([]byte, headerSize, headerSize+len(m.payload))
	binary.BigEndian.PutUint16(text[0:], m.command)
	binary.BigEndian.PutUint16(text[2:], uint16(len(m.payload)))
	binary.BigEndian.PutUint16(text[4:], m.kind)
	binary.BigEndian.PutUint16(text[6:], uint16(m.count))
	binary.BigEndian.PutUint32(text[8:], m.first)
	binary.BigEndian.PutUint32(text[12:], m.second)
	return append(text, m.payload...)
}

// padded returns a text with its final zero, filled up to a multiple of eight bytes.
func padded(text string) []byte {
	return append([]byte(text), make([]byte, 8-len(text)%8)...)
}
