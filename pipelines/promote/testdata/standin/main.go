// Command standin takes the place of an IOC's image in the tests of promoting:
// one static program that is the IOC, ioc-run, ioc-ask and env, by the name it is called.
// Its start-up script tells it how to behave, a line for each:
//
//	# standin pv NAME VALUE    serve a PV
//	# standin crash REASON     write the reason and end with status 1
//	# standin deaf             run and serve nothing
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// deafened is a file that outlives the container: an IOC with it answers no more.
const deafened = "/tmp/deaf"

// up is a file that holds the number of the IOC's process once it has started.
const up = "/tmp/up"

// unplugged is the signal at which an IOC loses its device and dies.
const unplugged = syscall.SIGUSR1

func main() {
	switch filepath.Base(os.Args[0]) {
	case "env": // true, which is what pulling an image early runs
	case "ioc-ask": // --value ca PV
		ask(os.Args[len(os.Args)-1])
	case "ioc-run": // --ready
		ask(os.Getenv("IOC_RUN_PV"))
	default:
		switch os.Args[1] { // a test runs these beside the IOC
		case "--deafen":
			fail(os.WriteFile(deafened, nil, 0o644))
		case "--unplug":
			unplug()
		}
		ioc(os.Args[1])
	}
}

// ask answers for a PV that the script serves, once the IOC has started.
func ask(pv string) {
	if _, err := os.Stat(deafened); err == nil {
		fail(fmt.Errorf("%s is not served", pv))
	}
	if _, err := os.Stat(up); err == nil {
		for _, words := range script("st.cmd") {
			if len(words) == 3 && words[0] == "pv" && words[1] == pv {
				fmt.Println(words[2])
				return
			}
		}
	}
	fail(fmt.Errorf("%s is not served", pv))
}

// ioc runs until it is told to stop, or made deaf: ioc-run ends an IOC that does
// not answer.
func ioc(file string) {
	fmt.Println("standin: running", file)
	for _, words := range script(file) {
		if words[0] == "crash" {
			fail(fmt.Errorf("%s", strings.Join(words[1:], " ")))
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, unplugged)
	if err := os.WriteFile(up, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		fail(err)
	}
	fmt.Println("standin: iocRun: All initialization complete")
	for {
		select {
		case signal := <-stop:
			if signal == unplugged {
				fail(errors.New("drvAsynIPPort: moxa-7 hung up"))
			}
			return
		case <-time.After(200 * time.Millisecond):
			if _, err := os.Stat(deafened); err == nil {
				fail(errors.New("the probe PV has not answered; ending the IOC"))
			}
		}
	}
}

// unplug takes the device from the IOC that runs.
func unplug() {
	text, err := os.ReadFile(up)
	if err != nil {
		fail(err)
	}
	process, err := strconv.Atoi(string(text))
	if err != nil {
		fail(err)
	}
	fail(syscall.Kill(process, unplugged))
}

// script returns the words of the lines that are meant for us.
func script(file string) (lines [][]string) {
	text, err := os.ReadFile(filepath.Join("/epics/config", file))
	if err != nil {
		fail(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "# standin "); ok {
			lines = append(lines, strings.Fields(rest))
		}
	}
	return lines
}

func fail(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Println("standin:", err)
	os.Exit(1)
}
