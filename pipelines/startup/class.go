package startup

import "regexp"

// Class is what a line of a start-up log means.
type Class int

// The classes: most lines are Silence. A Note is recorded and shown. A Fault
// refuses the release.
const (
	Silence Class = iota
	Note
	Fault
)

// baseFaults are what the shell, the macro library, the database loaders and
// iocInit of EPICS Base, and the dynamic linker, print when something is wrong.
// They print it and go on, so that an IOC with a misspelt command runs without
// what the command was to do. Each is provoked in a test.
var baseFaults = []*regexp.Regexp{
	// iocsh.cpp: showError, and what it prints of files and of itself.
	regexp.MustCompile(`^\S+ line \d+: .`),
	// EPICS Base begins so what it can't go on with, and a module's command does as
	// Base does. What drivers report of their devices has their name first.
	regexp.MustCompile(`^(ERROR)+\b`),
	regexp.MustCompile(`^Can't open (\S+: |include file )`),
	regexp.MustCompile(`^(iocsh Error: (Break|Halt)|c\+\+ error|Can't handle variable |Can't allocate command-line)`),
	regexp.MustCompile(`^(No var matching .* found\.|Var .* not found\.)`),
	regexp.MustCompile(`^Invalid (integer value\. Var|double value\. Var|directory path, ignored)`),
	regexp.MustCompile(`^Usage: (db[A-Za-z]+|iocshLoad|epicsEnvSet|on error)\b`),
	regexp.MustCompile(`^Missing environment variable |^callbackParallelThreads: `),
	// macLib.
	regexp.MustCompile(`^macLib: .* is (undefined|recursive)`),
	regexp.MustCompile(`^mac[A-Z]\w+: (failed|NULL)`),
	regexp.MustCompile(`^Warning: '.*' line \d+ has undefined macros`),
	// dbStatic and dbLoadTemplate.
	regexp.MustCompile(`Records cannot be loaded after iocInit`),
	regexp.MustCompile(` at or before '`),
	regexp.MustCompile(`dbLexRoutines\.c|dbRead(Database|COM)|^dbLoadTemplate: |^Substitution file error`),
	regexp.MustCompile(`^must specify variable substitution file`),
	regexp.MustCompile(`^(Record|Alias) ".*" (is of unknown type|refers to unknown record) `),
	regexp.MustCompile(`^(Record|Bad link) type ".*" (not found )?for device `),
	regexp.MustCompile(`^\w+ Record ".*" does not have a field |^\s+Did you mean "| in CALC expression '`),
	regexp.MustCompile(`^Can't (set|create record|create alias) "`),
	regexp.MustCompile(`: (can't|failed to) initialize link type`),
	regexp.MustCompile(`^(dbJLinkInit|dbLink): `),
	// iocInit and the registry.
	regexp.MustCompile(`^(iocBuild: (IOC can only|Aborting)|checkDatabase: |ioc(Run|Pause): IOC not)`),
	regexp.MustCompile(`^(iocInit:? (driver|record support)|device support) .* not found`),
	regexp.MustCompile(`^registry?\w* failed|^register\w+ failed`),
	regexp.MustCompile(`(?i)illegal (INP|OUT|SIOL|DOL|LNK\w*|O?CALC?) (field|type)|bad (INP|OUT) (link )?type`),
	regexp.MustCompile(`: Bad (field|link)`),
	regexp.MustCompile(`^CAS: .*bind ERROR|^cas ERROR`),
	// What dbpf and its like say after iocInit.
	regexp.MustCompile(`^PV '.*' not found|^recGblDbaddrError: `),
	// ld.so.
	regexp.MustCompile(`error while loading shared libraries:|symbol lookup error:`),
}

// notable are the words with which drivers and modules say that something is
// not as they want it.
var notable = regexp.MustCompile(`(?i)(^|\W)(error|warning|undefined|not found|can't|cannot|could not|couldn't|fail(ed|s|ure)?|` +
	`illegal|invalid|unable|no such file|not defined|not connected|disconnected|timed? ?out|timeout|refused|unreachable)\b`)

// usual are lines with such words that say nothing.
var usual = regexp.MustCompile(`(?i)errlogInit|setErrorLevel|asTrapWrite|error log|^(#|epicsEnvSet|var )`)

// Judge returns the class of a line, without colours, of a start-up log. What
// the rules allow is one class milder; what they refuse is a fault.
func (r Rules) Judge(line string) Class {
	class := Silence
	switch {
	case matches(baseFaults, line):
		class = Fault
	case notable.MatchString(line) && !usual.MatchString(line):
		class = Note
	}
	if picked(r.Refuse, line) {
		return Fault
	}
	if class > Silence && picked(r.Allow, line) {
		return class - 1
	}
	return class
}

func matches(all []*regexp.Regexp, line string) bool {
	for _, one := range all {
		if one.MatchString(line) {
			return true
		}
	}
	return false
}

// picked reports whether one of the patterns is found in a line.
func picked(patterns []Pattern, line string) bool {
	for _, p := range patterns {
		if one, err := regexp.Compile(p.Line); err == nil && one.MatchString(line) {
			return true
		}
	}
	return false
}
