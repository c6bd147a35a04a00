package newmodule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The packages with libraries are found however a workflow installs them, each at its
// line, and what is commented out is not installed.
func TestPackages(t *testing.T) {
	for name, c := range map[string]struct{ workflow, want string }{
		"one line": {"- run: sudo apt-get -y install libusb-1.0-0-dev cmake libx11-6", "libusb-1.0-0-dev:1"},
		"several": {
			"- run: |\n    apt-get install \\\n      liba-dev \\\n      libb-dev\n    echo libc-dev",
			"liba-dev:3 libb-dev:4",
		},
		"from Windows":    {"run: apt install liba-dev \\\r\n  libb-dev\r\n", "liba-dev:1 libb-dev:2"},
		"a comment":       {"# - run: apt-get install libold-dev\n- run: apt-get install liba-dev", "liba-dev:2"},
		"one within":      {"apt-get install \\\n  # libold-dev \\\n  liba-dev", "liba-dev:3"},
		"in a variable":   {"env:\n  APT: libi-dev libj-dev", "libi-dev:2 libj-dev:2"},
		"in quotes":       {"APT: \"liba-dev libb-dev\"", "liba-dev:1 libb-dev:1"},
		"by commas":       {"APT: 'liba-dev,libb-dev'", "liba-dev:1 libb-dev:1"},
		"two commands":    {"run: apt-get -qq install liba-dev; apt install libb-dev && make", "liba-dev:1 libb-dev:1"},
		"with an option":  {"run: apt-get -o Dpkg::Use-Pty=0 -y install liba-dev", "liba-dev:1"},
		"at a version":    {"run: apt install liba-dev=1.2-3", "liba-dev:1"},
		"named twice":     {"run: apt install liba-dev\nrun: apt install liba-dev", "liba-dev:1"},
		"of EPICS Base":   {"run: apt install libreadline-dev", ""},
		"left out":        {"run: apt install libwithout-dev", ""},
		"of another tool": {"run: pip install liba-dev", ""},
	} {
		r := described(
			t,
			map[string]string{".github/workflows/a.yml": c.workflow},
			Given{Without: []string{"libwithout-dev"}},
		)
		var got []string
		for _, p := range r.Packages {
			line, ok := strings.CutPrefix(strings.TrimSuffix(p.Why, " installs it"), ".github/workflows/a.yml:")
			require.True(t, ok, p.Why)
			got = append(got, p.Value+":"+line)
		}
		assert.Equal(t, c.want, strings.Join(got, " "), name)
	}
}

// The licence is found under each name that a file of it has, the lesser before the other.
func TestLicence(t *testing.T) {
	const mit, lesser, gnu = "Permission is hereby granted,\r\n  free of charge, to",
		"GNU LESSER GENERAL PUBLIC LICENSE",
		"GNU GENERAL PUBLIC LICENSE"
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENCE.md", "LICENSE.rst", "COPYING.txt"} {
		r := described(t, map[string]string{name: mit}, Given{})
		assert.Equal(t, Fact{"MIT", name + " says: Permission is hereby granted, free of charge"}, r.Licence)
		assert.Empty(t, r.Open)
	}
	for what, c := range map[string]struct {
		files map[string]string
		asked string
	}{
		"none":    {nil, "no file of the source says it in words known here; "},
		"another": {map[string]string{"LICENSE": "Redistribution and use"}, "no file of the source says it"},
		"GNU's":   {map[string]string{"COPYING": gnu}, "COPYING has the text of the GPL; which version"},
		"GNU's lesser": {
			map[string]string{"COPYING": gnu, "COPYING.LESSER": lesser},
			"COPYING.LESSER has the text of the LGPL; ",
		},
		"LICENSE.LESSER": {
			map[string]string{"LICENSE": gnu, "LICENSE.LESSER": lesser},
			"LICENSE.LESSER has the text of the LGPL",
		},
	} {
		r := described(t, c.files, Given{})
		assert.Empty(t, r.Licence.Value, what)
		require.Len(t, r.Open, 1, what)
		assert.Contains(t, r.Open[0].Text, c.asked, what)
	}
	assert.Equal(t, Fact{"MIT", said}, described(t, map[string]string{"COPYING": gnu}, Given{Licence: "MIT"}).Licence)
}
