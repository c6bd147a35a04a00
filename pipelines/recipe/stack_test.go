package recipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// imageOf returns an image of a tree with these modules, each at the line of its number
// in image.yaml, and the tree.
func imageOf(t *testing.T, ioc []string, targets []string, names ...string) (*recipe.Tree, *recipe.Image) {
	t.Helper()
	img := &recipe.Image{
		Name: "ioc-a", File: "generic-iocs/ioc-a/image.yaml", Targets: targets,
		Parent: asset.Pin{Asset: "mid", Version: assettest.Version("1.0")},
	}
	text := "modules:\n"
	for _, name := range names {
		img.Modules = append(img.Modules, recipe.ModuleRef{Name: name, Ref: "R1"})
		text += "  " + name + ": R1\n"
	}
	if len(names) == 0 {
		text = "modules: {}\n"
	}
	if ioc != nil {
		img.IOC = &recipe.IOC{Modules: ioc}
		text += "ioc:\n  modules:\n"
		for _, name := range ioc {
			text += "    - " + name + "\n"
		}
	}
	text += "targets:\n"
	for _, target := range targets {
		text += "  - " + target + "\n"
	}
	if targets == nil {
		text += "  - none\n"
	}
	type file struct {
		Modules map[string]string `json:"modules"`
		Targets []string          `json:"targets"`
		IOC     *struct {
			Modules []string `json:"modules"`
		} `json:"ioc,omitempty"`
	}
	_, doc, err := strictyaml.New[file]("Image", "An image.").Read(img.File, []byte(text))
	require.NoError(t, err)
	return &recipe.Tree{
		Images: map[asset.Name]*recipe.Image{"ioc-a": img},
		Docs:   map[asset.Name]*strictyaml.Doc{"ioc-a": doc},
		Modules: map[string]*recipe.Module{
			"asyn":  {Name: "asyn", Macro: "ASYN"},
			"fork":  {Name: "fork", Macro: "ASYN"},
			"motor": {Name: "motor", Macro: "MOTOR", Needs: []string{"asyn", "busy"}},
			"busy":  {Name: "busy", Macro: "BUSY", Needs: []string{"asyn"}},
			"calc":  {Name: "calc", Macro: "CALC", Needs: []string{"nobody"}},
			"a":     {Name: "a"}, "b": {Name: "b"}, // whose macro is at fault
		},
	}, img
}

// stacked is what an image is built on: EPICS Base, and asyn above it.
func stacked() recipe.Below {
	return recipe.Below{
		Images: []*recipe.Image{
			{Name: "root", Base: "debian:trixie", Modules: []recipe.ModuleRef{{Name: "epics-base", Ref: "R7"}}},
			{Name: "mid", Modules: []recipe.ModuleRef{{Name: "asyn", Ref: "R4"}}, Targets: []string{"linux-aarch64"}},
		},
		Modules: map[string]*recipe.Module{
			"epics-base": {Name: "epics-base", Macro: "EPICS_BASE"}, "asyn": {Name: "asyn", Macro: "ASYN"},
		},
	}
}

// What can't be in one image with what that is built on is told with its line.
func TestWhatCanNotBeTogether(t *testing.T) {
	const at = "generic-iocs/ioc-a/image.yaml:"
	for name, c := range map[string]struct {
		modules, ioc, targets []string
		want                  []string
	}{
		"nothing":                {nil, nil, nil, nil},
		"needs from below":       {[]string{"busy", "motor"}, []string{"motor", "asyn"}, nil, nil},
		"a target of the parent": {[]string{"busy"}, nil, []string{"linux-aarch64"}, nil},
		"macros that are none":   {[]string{"a", "b"}, nil, nil, nil},
		"a target of nobody": {
			[]string{"busy"}, nil, []string{"linux-aarch64", "linux-arm"},
			[]string{at + "5: mid, which it is built on, is not built for linux-arm; add it to the targets of mid, and release that"},
		},
		"RTEMS": {
			nil, nil, []string{"RTEMS-pc686"},
			[]string{at + "3: mid, which it is built on, is not built for RTEMS-pc686; add it to the targets of mid, and release that"},
		},
		"a target that nothing builds": {nil, nil, []string{"vxWorks-ppc604"}, nil}, // which was told
		"built below": {
			[]string{"busy", "asyn"}, nil, nil,
			[]string{at + "3: asyn is already built in mid; remove it here, or build on another image"},
		},
		"one macro": {
			[]string{"fork"}, nil, nil, []string{
				at + "2: asyn and fork both claim the macro ASYN; leave one of them out",
			},
		},
		"a need of the tree": {
			[]string{"motor"}, nil, nil, []string{at + "2: motor needs busy, which is built neither in ioc-a nor in " +
				"what it is built on; add busy to its modules, with a git ref"},
		},
		"a need of nobody": {
			[]string{"calc"}, nil, nil, []string{at + "2: calc needs nobody, which is built neither in ioc-a nor in " +
				"what it is built on; build on an image that has it, or add generic-iocs/support/nobody.yaml"},
		},
		"an IOC of another's": {
			[]string{"busy"}, []string{"busy", "motor"}, nil,
			[]string{at + "6: motor is built neither in ioc-a nor in what it is built on; add it to modules with a git ref"},
		},
		"an IOC of nothing": {
			nil, []string{"asym", "x.y"}, nil,
			[]string{at + "4: there is no support module \"asym\"; did you mean \"asyn\"?"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, img := imageOf(t, c.ioc, c.targets, c.modules...)
			own, err := tree.On(img, stacked())
			all := diag.All(err)
			require.Len(t, all, len(c.want), err)
			for i, want := range c.want {
				assert.EqualError(t, all[i], want)
				assert.Equal(t, diag.Invalid, diag.KindOf(all[i]))
			}
			if assert.Equal(t, err == nil, own != nil); own == nil {
				return
			}
			assert.Equal(
				t,
				[]*recipe.Image{stacked().Images[0], stacked().Images[1]},
				[]*recipe.Image{own.Images["root"], own.Images["mid"]},
			)
			assert.Same(t, img, own.Images["ioc-a"])
			assert.Len(t, own.Modules, 2+len(c.modules), "no module that is not built in it")
		})
	}
}

// What is wrong with what an image is built on was told of that, and is released.
func TestFaultsBelowAreNotTold(t *testing.T) {
	tree, img := imageOf(t, nil, nil, "busy")
	below := stacked()
	below.Images[0].Modules = append(
		below.Images[0].Modules,
		recipe.ModuleRef{Name: "asyn"},
		recipe.ModuleRef{Name: "fork"},
	)
	below.Modules["fork"] = &recipe.Module{Name: "fork", Macro: "ASYN"}
	_, err := tree.On(img, below)
	require.NoError(t, err)
}

// EPICS Base is needed by all, and by nobody who does not have it.
func TestAnImageWithoutEPICSBase(t *testing.T) {
	tree, img := imageOf(t, nil, nil, "busy")
	_, err := tree.On(img, recipe.Below{})
	require.ErrorContains(
		t,
		err,
		":2: busy needs asyn, which is built neither in ioc-a nor in what it is built on; add asyn",
	)
	require.ErrorContains(t, err, ":2: busy needs epics-base, which is built neither in ioc-a nor")
	img.Parent = asset.Pin{}
	_, err = tree.On(img, recipe.Below{})
	require.Len(t, diag.All(err), 1, "of a root, the file of EPICS Base is asked for elsewhere")
	tree.Modules["asyn"].Needs = []string{"epics-base", "asyn"}
	assert.Equal(t, []string{"epics-base", "asyn", "busy"}, tree.Closure("busy", "epics-base"), "each once")
}

// The parents that an IOC of the tree is built on, each once, and the ref of a module.
func TestParentsAndRefs(t *testing.T) {
	on := func(name asset.Name, version string) asset.Pin {
		return asset.Pin{Asset: name, Version: assettest.Version(version)}
	}
	ioc := &recipe.IOC{Modules: []string{"a"}}
	tree := &recipe.Tree{
		Images: map[asset.Name]*recipe.Image{
			"root": {
				Name:    "root",
				Base:    "debian:trixie",
				IOC:     ioc,
				Modules: []recipe.ModuleRef{{Name: "a", Ref: "R2"}},
			},
			"ioc-c": {
				Name:    "ioc-c",
				Parent:  on("mid", "2.0"),
				IOC:     ioc,
				Modules: []recipe.ModuleRef{{Name: "in-tree", Ref: "x"}},
			},
			"ioc-b": {
				Name:    "ioc-b",
				Parent:  on("mid", "1.0"),
				IOC:     ioc,
				Modules: []recipe.ModuleRef{{Name: "a", Ref: "R1"}},
			},
			"ioc-a": {
				Name:    "ioc-a",
				Parent:  on("mid", "2.0"),
				IOC:     ioc,
				Modules: []recipe.ModuleRef{{Name: "gone", Ref: "R1"}},
			},
			"base": {Name: "base", Parent: on("other", "1.0")},
		},
		Modules: map[string]*recipe.Module{"a": {Name: "a"}, "in-tree": {Name: "in-tree", Folder: "x"}},
	}
	assert.Equal(t, []asset.Pin{on("mid", "1.0"), on("mid", "2.0")}, tree.Parents())
	for module, want := range map[string]string{"a": "R1", "in-tree": "", "gone": "", "b": ""} {
		assert.Equal(t, want, tree.Ref(module), module)
	}
	assert.Empty(t, (&recipe.Tree{}).Parents())
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"asyn": true, "ADCore": true, "motorMotorSim": true, "a-b_c": true, "2c": true,
		"": false, "-a": false, "_a": false, "a.b": false, "a/b": false, "..": false, "a b": false, "ä": false,
		"a\n": false,
	} {
		assert.Equal(t, want, recipe.IsModuleName(name), name)
	}
	for target, want := range map[string]bool{
		"linux-aarch64": true, "linux-arm": true, "RTEMS-pc686": true,
		"linux-x86_64": false, "rtems-pc686": false, "RTEMS": false, "Linux-arm": false, "": false,
	} {
		assert.Equal(t, want, recipe.Builds(target), target)
	}
}
