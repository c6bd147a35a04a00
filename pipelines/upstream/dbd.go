package upstream

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// DBD is what a database definition file brings and what it needs, as its lines
// say; https://docs.epics-controls.org/en/latest/process-database/EPICS_Process_Database_Concepts.html
// has the format.
type DBD struct {
	Includes    []string // other files that are read in their place: "asynRecord.dbd"
	RecordTypes []string // that are defined here: "motor"
	// Devices are the record types that device support here is for, each once.
	Devices []string
	// Defined are the names that may stand in one IOC's definition only once,
	// of record types, device support choices, drivers, registrars, functions
	// and variables: "registrar(asynRegister)".
	Defined []string
	// Symbols are the variables that a library must export for what is defined
	// here: "pvar_func_asynRegister".
	Symbols []string
}

var (
	dbdComment   = regexp.MustCompile(`(?m)#.*$`)
	dbdInclude   = regexp.MustCompile(`(?m)^\s*include\s+"?([^"\s]+)"?`)
	dbdStatement = regexp.MustCompile(`\b(recordtype|device|driver|registrar|function|variable)\s*\(\s*"?([^,"()\s]+)"?([^)]*)\)`)
)

// ReadDBD reads a database definition file.
func ReadDBD(text string) DBD {
	text = dbdComment.ReplaceAllString(text, "")
	var d DBD
	for _, m := range dbdInclude.FindAllStringSubmatch(text, -1) {
		d.Includes = append(d.Includes, m[1])
	}
	for _, m := range dbdStatement.FindAllStringSubmatch(text, -1) {
		kind, name := m[1], m[2]
		d.Symbols = append(d.Symbols, symbol(kind, name, strings.Split(m[3], ",")))
		switch kind {
		case "recordtype":
			d.RecordTypes = append(d.RecordTypes, name)
		case "device":
			if !slices.Contains(d.Devices, name) {
				d.Devices = append(d.Devices, name)
			}
			arguments := strings.Split(m[3], ",")
			name += "," + strings.TrimSpace(arguments[len(arguments)-1])
		}
		d.Defined = append(d.Defined, kind+"("+name+")")
	}
	return d
}

// symbol returns the variable that epicsExportAddress makes for a statement:
// https://github.com/epics-base/epics-base/blob/7.0/modules/libcom/src/misc/epicsExport.h
func symbol(kind, name string, more []string) string {
	word := func(i int, otherwise string) string {
		if i >= len(more) {
			return otherwise
		}
		return strings.Trim(more[i], " \t\r\n\"")
	}
	switch kind {
	case "recordtype":
		return "pvar_rset_" + name + "RSET"
	case "device":
		return "pvar_dset_" + word(2, "")
	case "driver":
		return "pvar_drvet_" + name
	case "function":
		return "pvar_func_register_func_" + name
	case "variable":
		return "pvar_" + word(1, "int") + "_" + name
	}
	return "pvar_func_" + name
}

// Lack is something that a list of database definition files needs and lacks.
type Lack struct {
	DBD        string   // whose line it is: "motorSupport.dbd"
	Include    string   // the file that it includes and that there is none of; or empty
	RecordType string   // the record type that its device support is for; or empty
	Definers   []string // files that define that type, sorted
}

// Lacks returns what the named files need and don't get: included files that
// are in none of the folders, and record types of device support that neither
// they nor what comes before them define. all are the files that there are, by
// name; before are the names of those that an IOC has already.
func Lacks(names, before []string, all map[string]DBD) []Lack {
	types := map[string]bool{}
	for _, name := range before {
		collectTypes(closure(name, all), types)
	}
	var lacks []Lack
	add := func(l Lack) {
		if !slices.ContainsFunc(lacks, func(o Lack) bool {
			return o.DBD == l.DBD && o.Include == l.Include && o.RecordType == l.RecordType
		}) {
			lacks = append(lacks, l)
		}
	}
	for _, name := range names {
		reached := closure(name, all)
		collectTypes(reached, types)
		for _, part := range slices.Sorted(maps.Keys(reached)) {
			for _, include := range reached[part].Includes {
				if _, ok := all[include]; !ok {
					add(Lack{DBD: part, Include: include})
				}
			}
			for _, t := range reached[part].Devices {
				if !types[t] {
					add(Lack{DBD: name, RecordType: t, Definers: definers(t, all)})
				}
			}
		}
	}
	return lacks
}

// collectTypes notes the record types that files define.
func collectTypes(files map[string]DBD, types map[string]bool) {
	for _, d := range files {
		for _, t := range d.RecordTypes {
			types[t] = true
		}
	}
}

// closure returns a file with all that it includes, by name.
func closure(name string, all map[string]DBD) map[string]DBD {
	found := map[string]DBD{}
	var visit func(string)
	visit = func(name string) {
		d, known := all[name]
		if _, seen := found[name]; seen || !known {
			return
		}
		found[name] = d
		for _, include := range d.Includes {
			visit(include)
		}
	}
	visit(name)
	return found
}

// definers returns the files that define a record type themselves, sorted.
func definers(recordType string, all map[string]DBD) []string {
	var names []string
	for name, d := range all {
		if slices.Contains(d.RecordTypes, recordType) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
