// Command kube is a one-node Kubernetes in one program: which part it is, it
// takes from its own name or else from its first argument.
//
//	kube etcd FLAG…
//	kube kube-apiserver FLAG…
//	kube kube-controller-manager FLAG…
//	kube kube-scheduler FLAG…
//	kube kubelet FLAG…
//
// The flags are those of the programs of these names. Package local builds it
// and writes the flags.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
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
	fmt.Fprintln(os.Stderr, "kube: name a part: etcd, kube-apiserver, kube-controller-manager, kube-scheduler or kubelet")
	os.Exit(2)
}

// run is the part of that name until it ends; false when there is none.
func run(part string) bool {
	var command *cobra.Command
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
		return true
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		command = controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		command = scheduler.NewSchedulerCommand()
	case "kubelet":
		command = kubelet.NewKubeletCommand(context.Background())
	default:
		return false
	}
	os.Exit(cli.Run(command))
	return true
}
