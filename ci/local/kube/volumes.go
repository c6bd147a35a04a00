package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	provisionedBy = "pv.kubernetes.io/provisioned-by"
	again         = time.Minute // what failed is tried again
)

// volumes gives each claim of its storage class a folder of this machine, and
// takes the folder away when the claim is deleted.
type volumes struct {
	held        typed.PersistentVolumeInterface
	dir         string // holds one folder per claim
	provisioner string // as the storage class names it
	class       string
}

// runVolumes provides volumes until it is told to stop.
//
//	kube volumes -kubeconfig FILE -dir DIR -provisioner NAME -class NAME
func runVolumes(args []string) error {
	flags := flag.NewFlagSet("volumes", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the cluster")
	var v volumes
	flags.StringVar(&v.dir, "dir", "", "folder that holds the volumes")
	flags.StringVar(&v.provisioner, "provisioner", "", "provisioner of the storage class")
	flags.StringVar(&v.class, "class", "", "storage class")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("reading %s: %w", *kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("reaching the cluster: %w", err)
	}
	v.held = client.CoreV1().PersistentVolumes()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return v.watch(ctx, client)
}

func (v volumes) watch(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, again)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	held := factory.Core().V1().PersistentVolumes().Informer()
	_, err1 := claims.AddEventHandler(onChange(func(o any) error { return v.give(ctx, o.(*core.PersistentVolumeClaim)) }))
	_, err2 := held.AddEventHandler(onChange(func(o any) error { return v.take(ctx, o.(*core.PersistentVolume)) }))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	return nil
}

func onChange(do func(any) error) cache.ResourceEventHandler {
	report := func(o any) {
		if err := do(o); err != nil {
			fmt.Fprintln(os.Stderr, "volumes:", err)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    report,
		UpdateFunc: func(_, o any) { report(o) },
	}
}

// give makes the volume of a claim that has none.
func (v volumes) give(ctx context.Context, c *core.PersistentVolumeClaim) error {
	class := c.Spec.StorageClassName
	if class == nil || *class != v.class || c.Spec.VolumeName != "" || c.DeletionTimestamp != nil {
		return nil
	}
	name := "pvc-" + string(c.UID)
	path := filepath.Join(v.dir, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("making the volume of claim %s/%s: %w", c.Namespace, c.Name, err)
	}
	if err := os.Chmod(path, 0o777); err != nil { // an IOC runs as any user; the umask must not matter
		return fmt.Errorf("opening the volume of claim %s/%s: %w", c.Namespace, c.Name, err)
	}
	_, err := v.held.Create(ctx, v.volume(name, path, c), meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("giving claim %s/%s its volume: %w", c.Namespace, c.Name, err)
	}
	return nil
}

func (v volumes) volume(name, path string, c *core.PersistentVolumeClaim) *core.PersistentVolume {
	folder := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: v.provisioner}},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      c.Spec.Resources.Requests,
			AccessModes:                   c.Spec.AccessModes,
			StorageClassName:              v.class,
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: path, Type: &folder},
			},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: c.Namespace, Name: c.Name, UID: c.UID,
			},
		},
	}
}

// take removes a volume of ours whose claim is gone.
func (v volumes) take(ctx context.Context, p *core.PersistentVolume) error {
	if p.Annotations[provisionedBy] != v.provisioner || p.Status.Phase != core.VolumeReleased || p.DeletionTimestamp != nil {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(v.dir, p.Name)); err != nil {
		return fmt.Errorf("removing volume %s: %w", p.Name, err)
	}
	err := v.held.Delete(ctx, p.Name, meta.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting volume %s: %w", p.Name, err)
	}
	return nil
}
