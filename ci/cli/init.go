package cli

import (
	"cmp"
	"maps"
	"os"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// newInit is `tagline init`.
func newInit(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "init",
		Short: "Write what a new repository needs",
		Long: "Writes into a folder what a repository of one kind begins with: an asset that can be\n" +
			"released, tagline.yaml, workflows and a README. Nothing is overwritten. What a flag\n" +
			"does not say is asked for on a terminal.",
		Example: "  tagline init ioc ioc-magnets --registry ghcr.io/some-org --from 'epics-base 7.0.8.1r1.0'",
	})
	for _, n := range []newFiles{
		{use: "site", short: "Begin with the root of a hierarchy: EPICS Base", write: writeRoot},
		{use: "library", short: "Begin with a library chart of your own", write: writeLibrary},
		{
			use: "support NAME", short: "Begin with an image of support modules, on which generic IOCs are built",
			write: writeSupport, needed: []string{"from", "git", "ref"}, more: []string{"identity"},
			args: []argument{newImageArg},
		},
		{
			use: "ioc NAME", short: "Begin with one generic IOC on a released image",
			write: writeImage, needed: []string{"from"}, more: []string{"identity"}, args: []argument{newImageArg},
		},
		{
			use: "beamline NAME", short: "Begin with one beamline and an instance of it",
			write: writeBeamlineAlone, needed: []string{"image"}, more: []string{"instance", "library", "identity"},
			args: []argument{newBeamlineArg},
		},
	} {
		cmd.AddCommand(a.begins(n))
	}
	return cmd
}

// newNew is `tagline new`.
func newNew(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "new",
		Short: "Write the files of a new image, support module, beamline or instance",
		Long: "Writes the files of a new asset, support module or instance into this repository.\n" +
			"Nothing is overwritten. What a flag does not say is asked for on a terminal.",
		Example: "  tagline new instance bl01t bl01t-mo-ioc-03 --image 'ioc-simstage 1.0.0'",
	})
	for _, n := range []newFiles{
		{
			use: "image NAME", short: "A generic IOC on a released image",
			write: writeImage, needed: []string{"from"}, args: []argument{newImageArg},
		},
		{
			use: "module NAME", short: "A support module whose source is in git",
			write: writeModule, needed: []string{"git"}, args: []argument{newModuleArg},
		},
		{
			use: "beamline NAME", short: "A beamline with one instance",
			write: writeBeamline, needed: []string{"image"}, more: []string{"instance"},
			args: []argument{newBeamlineArg},
		},
		{
			use: "instance BEAMLINE NAME", short: "An instance of a beamline of this repository",
			write: writeInstance, needed: []string{"image"}, args: []argument{beamlineArg, newInstanceArg},
		},
	} {
		cmd.AddCommand(a.adds(n))
	}
	return cmd
}

// The names of what does not exist yet.
var (
	newImageArg    = argument{what: "the new image", example: "ioc-magnets"}
	newModuleArg   = argument{what: "the new support module", example: "asyn"}
	newBeamlineArg = argument{what: "the new beamline", example: "bl02i"}
	newInstanceArg = argument{what: "the new instance", example: "bl02i-mo-ioc-01"}
)

func writeRoot(b *beginning, _ []string) (scaffold.Files, asset.Tag, error) {
	tag, err := asset.ParseTag(scaffold.RootTag)
	if err != nil {
		return nil, tag, err
	}
	made, err := b.Root()
	return made, tag, err
}

func writeLibrary(*beginning, []string) (scaffold.Files, asset.Tag, error) {
	made, err := scaffold.LibraryChart()
	if err != nil {
		return nil, asset.Tag{}, err
	}
	tag, err := scaffold.FirstTag("ioc-lib")
	return made, tag, err
}

func writeSupport(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	return b.onPin(b.from, given[0], func(from asset.Pin) (scaffold.Files, error) {
		return b.Support(given[0], b.git, b.ref, from)
	})
}

func writeImage(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	return b.onPin(b.from, given[0], func(from asset.Pin) (scaffold.Files, error) {
		return b.Image(given[0], from)
	})
}

func writeModule(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	made, err := b.Module(given[0], b.git)
	return made, asset.Tag{}, err
}

func writeBeamline(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	first := cmp.Or(b.instance, scaffold.FirstInstance(given[0]))
	return b.onPin(b.image, given[0], func(image asset.Pin) (scaffold.Files, error) {
		return b.Beamline(given[0], first, image)
	})
}

// writeBeamlineAlone returns a beamline and what its own repository has for it.
func writeBeamlineAlone(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	made, tag, err := writeBeamline(b, given)
	if err == nil && b.library != "" {
		b.Library, err = asset.ParsePin(b.library)
	}
	if err != nil {
		return nil, asset.Tag{}, err
	}
	promotion, err := b.Promotion(given[0])
	maps.Copy(made, promotion)
	return made, tag, err
}

func writeInstance(b *beginning, given []string) (scaffold.Files, asset.Tag, error) {
	image, err := asset.ParsePin(b.image)
	if err != nil {
		return nil, asset.Tag{}, err
	}
	made, err := b.AddInstance(os.DirFS(b.root), given[0], given[1], image)
	return made, asset.Tag{}, err
}

// onPin returns the files of an asset that uses a release, and its first tag.
func (b *beginning) onPin(
	pin, name string, write func(asset.Pin) (scaffold.Files, error),
) (scaffold.Files, asset.Tag, error) {
	used, err := asset.ParsePin(pin)
	if err != nil {
		return nil, asset.Tag{}, err
	}
	made, err := write(used)
	if err != nil {
		return nil, asset.Tag{}, err
	}
	tag, err := scaffold.FirstTag(name)
	return made, tag, err
}
