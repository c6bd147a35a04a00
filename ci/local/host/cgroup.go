package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroupRoots returns the top of the machine's control groups: one folder, or in
// their first version one per controller. A unified folder beside those has no
// controller that counts.
func cgroupRoots(mount string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err == nil {
		return []string{mount}, nil
	}
	procs, err := filepath.Glob(filepath.Join(mount, "*", "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, p := range procs {
		// cpuacct is often a link to where cpu is
		if real, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil && !slices.Contains(roots, real) {
			roots = append(roots, real)
		}
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("no control groups at %s", mount)
	}
	return roots, nil
}

// EnsureCgroups makes the group with every controller that the kubelet wants.
func EnsureCgroups(group string) error {
	roots, err := cgroupRoots(cgroupMount)
	if err != nil {
		return err
	}
	for _, root := range roots {
		for _, controller := range []string{"cpu", "cpuset", "memory", "pids", "io", "hugetlb"} {
			// Only the second version has the file; a controller that the
			// machine lacks the kubelet complains of, if it needs it.
			_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0)
		}
		if err := os.MkdirAll(filepath.Join(root, group), 0o755); err != nil {
			return fmt.Errorf("making control group %s: %w", group, err)
		}
	}
	return nil
}

// RemoveCgroups removes the group and those in it. The kernel lets go of them a
// moment after their last process.
func RemoveCgroups(ctx context.Context, group string) error {
	roots, err := cgroupRoots(cgroupMount)
	if err != nil {
		return nil // none, so none is left
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var errs []error
		for _, root := range roots {
			errs = append(errs, removeCgroup(filepath.Join(root, group)))
		}
		err := errors.Join(errs...)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// removeCgroup removes a group from the inside out: its files go with it.
func removeCgroup(dir string) error {
	var groups []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			groups = append(groups, path)
		}
		return nil // gone while we looked
	})
	if err != nil {
		return err
	}
	for _, g := range slices.Backward(groups) {
		if err := os.Remove(g); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing control group: %w", err)
		}
	}
	return nil
}
