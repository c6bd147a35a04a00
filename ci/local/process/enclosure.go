package process

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enclosure is what a process sees differently from the rest of the machine.
// Everything lies in a mount namespace and ends with the process.
type Enclosure struct {
	// Empty directories hide what the machine has there: "/run".
	Empty []string `json:"empty,omitempty"`
	// Copied directories are the machine's, but changes stay inside: "/etc".
	// Changes are kept in Scratch, which must be below an Empty directory.
	Copied  []string `json:"copied,omitempty"`
	Scratch string   `json:"scratch,omitempty"`
	// Binds show a file or directory of the machine at another place.
	Binds []Bind `json:"binds,omitempty"`
}

// Bind shows From at To; To is made when it is missing, which it may be only
// below an Empty or Copied directory.
type Bind struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// VerbEnclosed is the verb of `tagline serve` that starts an enclosed program.
const VerbEnclosed = "enclosed"

func (e *Enclosure) args() []string {
	b, _ := json.Marshal(e)
	return []string{VerbEnclosed, string(b)}
}

// RunEnclosed is the first process of a new mount and process namespace: it
// makes the mounts of spec (an Enclosure as JSON), runs args, hands signals on and
// reaps orphans. When it ends the kernel ends everything inside.
func RunEnclosed(spec string, args []string) error {
	var e Enclosure
	if err := json.Unmarshal([]byte(spec), &e); err != nil {
		return err
	}
	if err := e.mount(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if pid == cmd.Process.Pid {
			return exitError(filepath.Base(args[0]), status)
		}
	}
}

func exitError(name string, status syscall.WaitStatus) error {
	if status.Exited() && status.ExitStatus() == 0 {
		return nil
	}
	if status.Signaled() {
		return fmt.Errorf("%s: killed by %s", name, status.Signal())
	}
	return fmt.Errorf("%s: exit status %d", name, status.ExitStatus())
}

// mount changes this process's view. Sources of binds are opened first, since
// an Empty directory may hide them.
func (e *Enclosure) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	sources := make([]*os.File, len(e.Binds))
	for i, b := range e.Binds {
		f, err := os.OpenFile(b.From, unix.O_PATH, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		sources[i] = f
	}
	for _, dir := range e.Empty {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("hiding %s: %w", dir, err)
		}
	}
	for _, dir := range e.Copied {
		if err := e.overlay(dir); err != nil {
			return fmt.Errorf("copying %s: %w", dir, err)
		}
	}
	for i, b := range e.Binds {
		if err := bind(sources[i], b.To); err != nil {
			return fmt.Errorf("showing %s at %s: %w", b.From, b.To, err)
		}
	}
	return nil
}

func (e *Enclosure) overlay(dir string) error {
	upper, work := filepath.Join(e.Scratch, dir, "upper"), filepath.Join(e.Scratch, dir, "work")
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	return unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work)
}

func bind(from *os.File, to string) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(to, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return err
	}
	return unix.Mount(fmt.Sprintf("/proc/self/fd/%d", from.Fd()), to, "", unix.MS_BIND|unix.MS_REC, "")
}
