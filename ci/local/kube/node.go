package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	grace = 5 * time.Second // for the pods' processes to end when the node stops
	pause = time.Second     // before a program that ended is started again

	// reserved is the first process number that Linux gives twice: a lower
	// one shows that the namespace is young.
	reserved = 300
)

// runNode keeps containerd and the kubelet running until it is told to stop,
// and then ends the pods. It wants a process namespace of its own: whatever is
// in it is taken for the node's.
//
//	kube node SOCKET CONTAINERD FLAG… -- KUBELET FLAG…
//
// The kubelet starts when containerd answers at SOCKET.
func runNode(args []string) error {
	split := slices.Index(args, "--")
	if split < 2 || split == len(args)-1 {
		return fmt.Errorf("node wants SOCKET CONTAINERD FLAG… -- KUBELET FLAG…, not %q", args)
	}
	if os.Getppid() != 1 || os.Getpid() >= reserved {
		return errors.New("node wants a process namespace of its own: when it stops it ends every process there is")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go keep(ctx, args[1:split])
	waitFor(ctx, args[0])
	go keep(ctx, args[split+1:])
	<-ctx.Done()
	end()
	return nil
}

// keep runs a program, and again when it ends, until ctx does.
func keep(ctx context.Context, args []string) {
	for ctx.Err() == nil {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err := cmd.Run()
		fmt.Fprintf(os.Stderr, "node: %s ended: %v\n", filepath.Base(args[0]), err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// waitFor returns when somebody answers at the unix socket, or ctx ends.
func waitFor(ctx context.Context, socket string) {
	for ctx.Err() == nil {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return
		}
		time.Sleep(pause / 10)
	}
}

// end asks every other process of the namespace to end, and waits a while. What
// is left the kernel ends with the namespace.
func end() {
	late := time.Now().Add(grace)
	for time.Now().Before(late) {
		if syscall.Kill(-1, syscall.SIGTERM) == syscall.ESRCH {
			return
		}
		time.Sleep(pause / 4)
	}
}
