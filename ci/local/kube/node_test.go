package main

import (
	"strings"
	"testing"
)

func TestNodeRefusesWhereItWouldEndOthers(t *testing.T) {
	err := runNode([]string{"/run/c.sock", "containerd", "--", "kubelet"})
	if err == nil || !strings.Contains(err.Error(), "namespace of its own") {
		t.Errorf("it would have started here: %v", err)
	}
}

func TestNodeWantsBothPrograms(t *testing.T) {
	for _, line := range []string{"", "/run/c.sock", "/run/c.sock containerd", "/run/c.sock -- kubelet", "/run/c.sock containerd --"} {
		if err := runNode(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), "node wants SOCKET") {
			t.Errorf("%q: %v", line, err)
		}
	}
}
