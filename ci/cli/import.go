package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/ibek"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// newModuleImport is `tagline module import`.
func newModuleImport(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "import FOLDER [MODULE]...",
		Short: "Convert a catalogue of support modules as ibek-support of epics-containers has it",
		Long: "Reads every <module>/<module>.install.yml below FOLDER, or those of the modules that are\n" +
			"named, and writes generic-iocs/support/<module>.yaml for each, with the line of the\n" +
			"catalogue behind each line. It says what was not converted, with file and line; that\n" +
			"stands in the file as TODO too. A module that the tree has already is left alone.",
		Example: "  git clone https://github.com/epics-containers/ibek-support ../ibek-support\n" +
			"  tagline module import ../ibek-support\n" +
			"  tagline module import ../ibek-support asyn motor",
		RunE: func(_ *cobra.Command, given []string) error { return a.importModules(given[0], given[1:]) },
	}, argument{what: "the folder of a catalogue", example: "../ibek-support"},
		argument{what: "a support module", example: "asyn"}.orMore())
}

// importModules writes the files of a catalogue's modules into the working copy.
func (a *app) importModules(folder string, names []string) error {
	root, err := a.workTree()
	if err != nil {
		return err
	}
	modules, err := ibek.Read(os.DirFS(folder), moduleSchema())
	if err != nil {
		return err
	}
	if modules, err = ibek.Chosen(modules, names); err != nil {
		return err
	}
	made := scaffold.Files{}
	for i := range modules {
		modules[i] = modules[i].Kept(os.DirFS(root))
		maps.Copy(made, modules[i].Files)
	}
	if err := made.Write(root); err != nil {
		return err
	}
	if err := a.print(modules, func(w io.Writer) error { return writeImported(w, modules) }); err != nil {
		return err
	}
	a.lacks(root)
	return nil
}

// writeImported writes a line for each module, with what was not converted of it.
func writeImported(w io.Writer, modules []ibek.Module) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MODULE\tREF\tCONVERTED\tNOT CONVERTED")
	for _, m := range modules {
		notes := []string{"-"}
		if len(m.Open) > 0 {
			notes = nil
		}
		for _, n := range m.Open {
			notes = append(notes, n.In(m.File))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Name, or(m.Ref), m.State, notes[0])
		for _, more := range notes[1:] {
			fmt.Fprintf(t, "\t\t\t%s\n", more)
		}
	}
	return t.Flush()
}
