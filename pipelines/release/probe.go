package release

import (
	"context"
	"io/fs"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/source"
)

// onEngine lets a trial do its work with the engine.
func (t *trial) onEngine() {
	t.base, t.fetch, t.build, t.prove = t.stand, t.fetched, t.looked, t.booted
}

// fetched lets read see what Describe reads of the module's source.
func (t *trial) fetched(ctx context.Context, mod *recipe.Module, read func(fs.FS) error) error {
	fetcher := source.Fetcher{
		Client: t.Client, Files: t.files, Mirrors: t.Mirrors, Logins: t.Logins, Base: string(t.parent.Base),
	}
	wanted := source.Wanted{Image: t.img, Ref: recipe.ModuleRef{Name: t.Name, Ref: t.Ref}, Module: mod}
	locked, err := fetcher.Lock(ctx, wanted)
	if err != nil {
		return err
	}
	dir, err := fetcher.Fetch(ctx, mod, string(locked.Commit))
	if err != nil {
		return err
	}
	few := t.Client.Directory().WithDirectory("/", dir, dagger.DirectoryWithDirectoryOpts{Include: newmodule.Reads})
	return engine.Export(ctx, few, "source", func(files fs.FS) error {
		src, err := fs.Sub(files, "source")
		if err != nil {
			return err
		}
		return read(src)
	})
}

// builder returns what builds the probe IOC of a tree, whose names are found out once.
func (t *trial) builder(ctx context.Context, tree *recipe.Tree) (image.Builder, error) {
	b := image.Builder{
		Client: t.Client, Files: t.files, Tree: tree, Mirrors: t.Mirrors, Logins: t.Logins,
		Locks: map[asset.Name]*lockfile.Lock{},
	}
	if t.lock == nil {
		lock, err := b.Lock(ctx, t.img, t.parent)
		if err != nil {
			return b, err
		}
		t.lock = lock
	}
	b.Locks[t.img.Name] = t.lock
	return b, nil
}

// looked builds the module, and prints what is in its folder.
func (t *trial) looked(ctx context.Context, tree *recipe.Tree) (string, error) {
	b, err := t.builder(ctx, tree)
	if err != nil {
		return "", err
	}
	alone := *t.img
	alone.IOC = nil
	built, err := b.Build(ctx, &alone, t.parent)
	if err != nil {
		return "", err
	}
	args := []string{layout.HostArch, layout.Module(t.Name)}
	for _, need := range tree.Closure(t.Name, recipe.Base) {
		if need != t.Name {
			args = append(args, layout.Module(need))
		}
	}
	out, err := built.Developer.WithExec(engine.Shell(newmodule.LookScript, args...)).Stdout(ctx)
	return out, engine.Explain(err)
}

// The probe IOC's config folder: a record that lives.
const (
	probeScript = "dbLoadDatabase \"" + layout.IOC + "/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\n" +
		"dbLoadRecords \"probe.db\"\niocInit\n"
	probeRecords = "record(calc, \"PROBE:HEARTBEAT\") {\n    field(SCAN, \".5 second\")\n    field(CALC, \"VAL+1\")\n}\n"
)

// booted builds the probe IOC, boots it and asks it.
func (t *trial) booted(ctx context.Context, tree *recipe.Tree) (*record.Test, error) {
	b, err := t.builder(ctx, tree)
	if err != nil {
		return nil, err
	}
	built, err := b.Build(ctx, t.img, t.parent)
	if err != nil {
		return nil, err
	}
	return smoke.Tester{Client: t.Client}.Run(ctx, smoke.Subject{
		Name: string(t.img.Name), File: t.img.File, Runtime: built.Runtime, Clients: built.Developer,
		Config: map[string][]byte{"st.cmd": []byte(probeScript), "probe.db": []byte(probeRecords)},
		Checks: []recipe.Check{{PV: "PROBE:HEARTBEAT", Advances: true}},
		Grace:  beamline.Values{}.Grace(), User: beamline.Values{}.User(),
	})
}
