// Command kube is a one-node Kubernetes in one program: which part it is, it
// takes from its own name or else from its first argument.
//
//	kube etcd FLAG…
//	kube kube-apiserver FLAG…
//	kube kube-controller-manager FLAG…
//	kube kube-scheduler FLAG…
//	kube kubelet FLAG…
//	kube kube-proxy FLAG…
//	kube node …                      containerd and the kubelet, see node.go
//	kube volumes …                   gives claims their volumes, see volumes.go
//
// The flags of the first six are those of the programs of these names. Package
// local builds it and writes the flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	args := os.Args
	if run(filepath.Base(args[0])) {
		return
	}
	if len(args) > 1 {
		os.Args = args[1:]
		if run(args[1]) {
			return
		}
	}
	fmt.Fprintln(os.Stderr, "kube: name a part: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, "+
		"kubelet, kube-proxy, node or volumes")
	os.Exit(2)
}

// run is the part of that name until it ends; false when there is none.
func run(part string) bool {
	var command *cobra.Command
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
		return true
	case "node":
		exit(runNode(os.Args[1:]))
	case "volumes":
		exit(runVolumes(os.Args[1:]))
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		command = controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		command = scheduler.NewSchedulerCommand()
	case "kubelet":
		command = kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		command = proxy.NewProxyCommand()
	default:
		return false
	}
	os.Exit(cli.Run(command))
	return true
}

// exit ends the program with what a part of ours returned.
func exit(err error) {
	var ended *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &ended): // it has said why
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "kube:", err)
	os.Exit(1)
}
