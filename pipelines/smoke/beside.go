package smoke

import (
	"fmt"
	"strings"

	"dagger.io/dagger"
)

// Simulator is a program that an IOC under test reaches over the loopback, in
// place of a device.
type Simulator struct {
	Root    *dagger.Directory // a container image's files, or a folder of the tree
	Image   bool              // Root is an image's: the program sees nothing else
	Command []string          // run in that folder
}

// mount puts the simulator's files into the boot, with the script that starts it.
func (s Simulator) mount(c *dagger.Container, number int) *dagger.Container {
	folder := fmt.Sprintf("/smoke/files/%d", number)
	script := fmt.Sprintf("cd %s && exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all %s\n",
		folder, quoted(s.Command))
	if s.Image {
		script = fmt.Sprintf("mount --rbind /dev %[1]s/dev; mount -t proc proc %[1]s/proc\n"+
			"exec chroot --userspec=65534:65534 %[1]s %[2]s\n", folder, quoted(s.Command))
	}
	return c.WithMountedDirectory(folder, s.Root).
		WithNewFile(fmt.Sprintf("/smoke/beside/%d.sh", number), script)
}

// quoted writes a command's words as a shell reads them back.
func quoted(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(all, " ")
}
