package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// machine lists what `tagline up` might leave on a machine: a line for each
// process, mount, network link, firewall rule, network namespace, and file
// of /etc with its size and time.
func machine() []string {
	var all []string
	add := func(kind string, lines []string) {
		for _, l := range lines {
			if l = strings.TrimSpace(l); l != "" {
				all = append(all, kind+" "+l)
			}
		}
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		text, err := os.ReadFile(p)
		if line := strings.ReplaceAll(string(text), "\x00", " "); err == nil && ours(line) {
			add("process", []string{line})
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mounts")
	add("mount", strings.Split(string(mounts), "\n"))
	links, _ := filepath.Glob("/sys/class/net/*")
	add("link", links)
	for _, iptables := range []string{"iptables-legacy-save", "iptables-nft-save"} {
		rules, err := exec.Command(iptables).Output()
		if err == nil {
			for line := range strings.Lines(string(rules)) {
				if strings.HasPrefix(line, "-A") {
					add("rule", []string{line})
				}
			}
		}
	}
	if tables, err := exec.Command("nft", "list", "tables").Output(); err == nil {
		add("table", strings.Split(string(tables), "\n"))
	}
	for _, dir := range []string{
		"/run/netns", "/var/run/netns", "/sys/fs/cgroup/kubepods", "/sys/fs/cgroup/memory/kubepods",
		"/sys/fs/cgroup/tagline*", "/sys/fs/cgroup/*/tagline*", "/var/lib/kubelet",
	} {
		entries, _ := filepath.Glob(dir + "/*")
		add("entry", entries)
	}
	filepath.WalkDir("/etc", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			add("file", []string{fmt.Sprintf("%s %d %s", path, info.Size(), info.ModTime())})
		}
		return nil
	})
	slices.Sort(all)
	return all
}

// ours reports whether a process is of a kind that `tagline up` starts.
func ours(line string) bool {
	for _, name := range []string{"tagline", "dagger", "kube", "etcd", "containerd", "runc", "dnsmasq", "/epics/ioc"} {
		if strings.Contains(strings.Fields(line + " -")[0], name) {
			return true
		}
	}
	return false
}

// leftOver returns what is there after and was not before. What Debian's
// packages installed in between is the packages', not ours.
func leftOver(before, after []string) string {
	var left []string
	for _, line := range after {
		if strings.HasPrefix(line, "file ") && installed(strings.Fields(line)[1]) {
			continue
		}
		if !slices.Contains(before, line) {
			left = append(left, line)
		}
	}
	return strings.Join(left, "\n")
}

// installed reports whether dpkg or its helpers keep a file of /etc.
func installed(path string) bool {
	for _, kept := range []string{
		"/etc/alternatives/", "/etc/rc", "/etc/ld.so.cache", "/etc/systemd/", "/etc/passwd", "/etc/group",
		"/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/etc/mailcap", "/etc/.pwd.lock",
	} {
		if strings.HasPrefix(path, kept) {
			return true
		}
	}
	return exec.Command("dpkg-query", "--search", path).Run() == nil
}
