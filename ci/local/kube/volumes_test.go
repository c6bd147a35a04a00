package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

// shelf holds volumes as the API server would.
type shelf struct {
	typed.PersistentVolumeInterface
	volumes map[string]*core.PersistentVolume
}

func (s shelf) Create(_ context.Context, p *core.PersistentVolume, _ meta.CreateOptions) (*core.PersistentVolume, error) {
	if s.volumes[p.Name] != nil {
		return nil, apierrors.NewAlreadyExists(core.Resource("persistentvolumes"), p.Name)
	}
	s.volumes[p.Name] = p
	return p, nil
}

func (s shelf) Delete(_ context.Context, name string, _ meta.DeleteOptions) error {
	if s.volumes[name] == nil {
		return apierrors.NewNotFound(core.Resource("persistentvolumes"), name)
	}
	delete(s.volumes, name)
	return nil
}

func provider(t *testing.T) (volumes, shelf) {
	s := shelf{volumes: map[string]*core.PersistentVolume{}}
	return volumes{held: s, dir: t.TempDir(), provisioner: "folders", class: "local"}, s
}

func claim(uid, class string) *core.PersistentVolumeClaim {
	return &core.PersistentVolumeClaim{
		ObjectMeta: meta.ObjectMeta{Name: "autosave", Namespace: "bl01t", UID: types.UID(uid)},
		Spec: core.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []core.PersistentVolumeAccessMode{core.ReadWriteOnce},
			Resources: core.VolumeResourceRequirements{
				Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("10Mi")},
			},
		},
	}
}

func TestClaimGetsAFolderThatAnyUserMayWrite(t *testing.T) {
	v, s := provider(t)
	defer syscall.Umask(syscall.Umask(0o077))
	for range 2 { // the second time nothing happens
		if err := v.give(t.Context(), claim("1", "local")); err != nil {
			t.Fatal(err)
		}
	}
	p := s.volumes["pvc-1"]
	if p == nil || len(s.volumes) != 1 {
		t.Fatalf("volumes: %v", s.volumes)
	}
	if p.Spec.ClaimRef.UID != "1" || p.Spec.StorageClassName != "local" {
		t.Errorf("the volume would not bind: %+v", p.Spec)
	}
	info, err := os.Stat(p.Spec.HostPath.Path)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("folder: %v %v", info, err)
	}
}

func TestClaimsThatAreNotOurs(t *testing.T) {
	bound, leaving, classless := claim("1", "local"), claim("2", "local"), claim("3", "local")
	bound.Spec.VolumeName = "pvc-1"
	now := meta.Now()
	leaving.DeletionTimestamp = &now
	classless.Spec.StorageClassName = nil
	for name, c := range map[string]*core.PersistentVolumeClaim{
		"bound": bound, "being deleted": leaving, "without a class": classless, "of another class": claim("4", "fast"),
	} {
		t.Run(name, func(t *testing.T) {
			v, s := provider(t)
			if err := v.give(t.Context(), c); err != nil || len(s.volumes) > 0 {
				t.Errorf("%v %v", err, s.volumes)
			}
		})
	}
}

func TestVolumeGoesWithItsClaim(t *testing.T) {
	v, s := provider(t)
	if err := v.give(t.Context(), claim("1", "local")); err != nil {
		t.Fatal(err)
	}
	p := s.volumes["pvc-1"]
	saved := filepath.Join(p.Spec.HostPath.Path, "autosave.sav")
	if err := os.WriteFile(saved, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Status.Phase = core.VolumeBound
	if err := v.take(t.Context(), p); err != nil || s.volumes["pvc-1"] == nil {
		t.Fatalf("a volume in use was taken: %v", err)
	}
	foreign := p.DeepCopy()
	foreign.Status.Phase, foreign.Annotations = core.VolumeReleased, nil
	if err := v.take(t.Context(), foreign); err != nil || s.volumes["pvc-1"] == nil {
		t.Fatalf("somebody else's volume was taken: %v", err)
	}
	p.Status.Phase = core.VolumeReleased
	for range 2 {
		if err := v.take(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(p.Spec.HostPath.Path); !errors.Is(err, os.ErrNotExist) || len(s.volumes) > 0 {
		t.Errorf("left: %v %v", err, s.volumes)
	}
}
