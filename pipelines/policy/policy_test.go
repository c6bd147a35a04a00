package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// indented returns the PEM text of a new public key, as a policy holds it.
func indented(t testing.TB) string {
	_, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	return "|\n          " + strings.ReplaceAll(strings.TrimSpace(string(public)), "\n", "\n          ") + "\n"
}

func TestRead(t *testing.T) {
	key := indented(t)
	text := "signers:\n  - assets: [bl01t, ioc-*]\n    key: " + key +
		"  - identity: https://github.com/some-org/site/.github/workflows/release.yml\n" +
		"checks: [unique PVs]\n" +
		"approvals:\n  count: 1\n  from:\n    - name: ajp\n" +
		"      key: " + key + "    - name: staff\n      identity: staff@some-org.example\n" +
		"      issuer: https://accounts.google.com\n" +
		"after: [bl01t]\nsoak: 48h\n" +
		"closed:\n" +
		"  - {why: beam time, start: 2026-11-30T09:00, zone: Europe/London, for: 96h, repeat: FREQ=WEEKLY;BYDAY=MO, approvals: 2}\n" +
		"holds:\n  - {why: vacuum work, until: \"2026-12-01T00:00:00Z\"}\noverride: [ajp]\n"
	p, err := Read("policy.yaml", []byte(text))
	require.NoError(t, err)
	require.Equal(t, text, p.Text())
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", p.Digest())
	require.Equal(t, Actions, p.Signers[1].Issuer)
	require.True(t, p.Signers[0].May("ioc-motorsim"))
	require.False(t, p.Signers[0].May("bl02t"))
	require.True(t, p.Signers[1].May("bl02t"))
	changed, err := Read("policy.yaml", []byte(text+"# another\n"))
	require.NoError(t, err)
	require.NotEqual(t, p.Digest(), changed.Digest())
	applied, err := ReadApplied("policy.yaml", []byte(text), "x/1")
	require.NoError(t, err)
	again, err := ReadApplied("policy.yaml", []byte(text), "x/3")
	require.NoError(t, err)
	require.NotEqual(t, applied.Digest(), again.Digest(), "the same text, applied again")
	require.NotEqual(t, p.Digest(), applied.Digest())
	bare := sha256.Sum256([]byte(text)) // what approvals named before
	require.NotEqual(t, "sha256:"+hex.EncodeToString(bare[:]), applied.Digest())
	_, err = ReadApplied("policy.yaml", []byte("x: 1\n"), "x/1")
	require.Error(t, err)
}

// unsigned is all that a policy needs.
const unsigned = "unsigned: a test without hardware\n"

// fault is a policy that is refused, and what is said of it.
type fault struct{ text, want string }

func (c fault) check(t *testing.T) {
	t.Helper()
	_, err := Read("policy.yaml", []byte(c.text))
	require.ErrorContains(t, err, c.want, c.text)
	require.ErrorContains(t, err, "policy.yaml:", c.text)
	require.Equal(t, diag.Invalid, diag.KindOf(err), c.text)
}

func TestReadRefuses(t *testing.T) {
	key := indented(t)
	for _, c := range []fault{
		{"checks: [boot]\n", "nobody may sign releases; name signers"},
		{unsigned + "signers: [{identity: x}]\n", ":1: signers are named, and unsigned releases are accepted"},
		{"signers: []\n", ":1: the list is empty"},
		{"signers: [{assets: [bl01t]}]\n", "it names not one way to know the signer"},
		{"signers: [{key: x}]\n", "the key can't be read"},
		{"signers: [{identity: x, trustedRoot: \"{}\"}]\n", "it can't be read"},
		{"signers: [{identity: x, assets: [\"[\"]}]\n", "is no pattern of names"},
		{unsigned + "consents: [{charts: [\"[\"], to: [root]}]\n", "is no pattern of names; write it as in bl01t-"},
		{unsigned + "consents: [{to: [root]}]\n", ":2: "}, // for all charts is written "*"
		{unsigned + "consents: [{charts: [bl01t-a], to: []}]\n", ":2: "},
		{"signers:\n  - issuer: https://x\n    key: " + key, "only an identity has an issuer"},
		{unsigned + "approvers: []\n", ":2: unknown key"},
		{unsigned + "override: [ajp]\n", `:2: "ajp" is no approver`},
		{unsigned + "soak: 48h\n", "after and soak belong together"},
		{unsigned + "soak: 2 days\nafter: [bl01t]\n", ":2: "},
		{unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: Europe/Londn, for: 1h}]\n", "no time zone"},
		{
			unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: FREQ=NEVER}]\n",
			"repeat: ",
		},
		{
			unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: FREQ=SECONDLY}]\n",
			"at most once an hour",
		},
		{unsigned + "closed: [{why: x, start: 2026-13-30T09:00, zone: UTC, for: 1h}]\n", "is no time after"},
		{unsigned + "holds: [{why: x, until: tomorrow}]\n", ":2: "},
		{unsigned + "verify: {pvs: [A:X]}\n", ":2: "},
		{unsigned + "verify:\n  for: 2h\n", ":3: "},
		{unsigned + "verify:\n  for: 0m\n", ":3: "},
		{unsigned + "verify:\n  for: 2m\n  pvs: [A X]\n", ":4: "},
		{unsigned + "verify:\n  for: 2m\n  pvs: [A:X, A:X]\n", ":4: "},
		{unsigned + "verify: {for: 2m, pvs: [A:X]}\n", "text belongs; write text, in quotes"},
		{unsigned + "verify:\n  for: 2m\n  pv: [A:X]\n", ":4: verify: unknown key"},
		{unsigned + "events: []\n", ":2: "},
		{unsigned + "events: [{url: \"https://a.example\"}]\n", ":2: "},
		{unsigned + "events: [{name: A b, url: \"https://a.example\"}]\n", ":2: "},
		{
			unsigned + "events:\n  - {name: a, url: \"https://a.example\"}\n" +
				"  - {name: a, url: \"https://b.example\"}\n",
			`:4: "a" is there twice`,
		},
		{unsigned + "events: [{name: a, url: \"a.example/x\"}]\n", "the address can't be read"},
		{unsigned + "events: [{name: a, url: \"https://ajp:pw@a.example\"}]\n", "would read its password or query"},
		{unsigned + "events: [{name: a, url: \"https://a.example/x?token=1\"}]\n", "would read its password or query"},
		{unsigned + "events: [{name: a, url: \"http://a.example\"}]\n", "sent there unprotected; use https"},
		{unsigned + "events: [{name: a, url: \"http://10.0.0.1\"}]\n", "sent there unprotected; use https"},
		{unsigned + "events: [{name: a, url: \"http://a.svc.example\"}]\n", "sent there unprotected; use https"},
		{unsigned + "events: [{name: a, url: \"ftp://localhost\"}]\n", "sent there unprotected; use https"},
	} {
		c.check(t)
	}
}

func TestReadRefusesApprovers(t *testing.T) {
	const workflow = "github: {repository: some-org/site, workflow: promote.yml}"
	for _, c := range []fault{
		{unsigned + "approvals: {count: 2, from: [{name: a, identity: x, issuer: y}]}\n", "2 of 1 can never approve"},
		{unsigned + "approvals: {count: 1, from: [{name: a, identity: x}]}\n", "has no issuer"},
		{
			unsigned + "approvals: {count: 1, from: [{name: a, identity: x, issuer: i}, {name: a, identity: y, issuer: i}]}\n",
			`"a" is there twice`,
		},
		{
			unsigned + "approvals: {count: 2, from: [{name: ajp, identity: x, issuer: i}, {name: AJP, identity: y, issuer: i}]}\n",
			`"AJP" is there twice`,
		},
		{unsigned + "approvals: {count: 1, from: [{name: a}]}\n", "it names no way to know the approver"},
		{
			unsigned + "approvals: {count: 1, from: [{name: a, identity: x, issuer: y, github: some-org/staff}]}\n",
			"a team is many persons",
		},
		{
			unsigned + "approvals: {count: 1, from: [{name: a, identity: x, issuer: y, github: octocat}]}\n",
			"no workflow of GitHub is named",
		},
		{
			unsigned + "approvals: {count: 2, from: [{name: a, identity: x, issuer: y, github: octocat}], " +
				workflow + "}\n",
			"2 of 1 can never approve", // one person
		},
		{unsigned + "approvals: {count: 1, from: [{name: a, github: octocat}]}\n", "no workflow of GitHub is named"},
		{unsigned + "approvals: {count: 1, from: [{name: a, github: \"octo cat\"}]}\n", ":2: "},
		{
			unsigned + "approvals: {count: 2, from: [{name: a, github: octocat}], github: {repository: some-org/site, workflow: promote.yml}}\n",
			"2 of 1 can never approve",
		},
		{unsigned + "approvals: {count: 1, from: [{name: a, github: octocat}], github: {repository: site, workflow: promote.yml}}\n", ":2: "},
		{unsigned + "approvals: {count: 1, from: [{name: a, github: octocat}], github: {repository: some-org/site, workflow: ../x.yml}}\n", ":2: "},
	} {
		c.check(t)
	}
}

// Times that are none, and rules that never end or never begin.
func TestReadRefusesMore(t *testing.T) {
	const unsigned = "unsigned: a test without hardware\n"
	for _, c := range []struct{ text, want string }{
		{
			unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: FREQ=HOURLY;INTERVAL=2;BYHOUR=10}]\n",
			":2: repeat: counted from start it comes to none of the hours of BYHOUR; see RFC 5545",
		},
		{
			unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: FREQ=DAILY;INTERVAL=-1}]\n",
			"interval must be greater than 0",
		},
		{
			unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: \"DTSTART:20200101T000000Z\\nRRULE:FREQ=DAILY\"}]\n",
			"repeat: ",
		},
		{unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: Local, for: 1h}]\n", `"Local" is no time zone`},
		{unsigned + "closed: [{why: x, start: 2026-11-30T09:00, zone: ../UTC, for: 1h}]\n", `"../UTC" is no time zone`},
		{unsigned + "closed: [{why: x, start: 2026-02-30T09:00, zone: UTC, for: 1h}]\n", "is no time after"},
		{unsigned + "holds: [{why: x, until: \"2026-02-30T00:00:00Z\"}]\n", "is not a legal time"},
	} {
		_, err := Read("policy.yaml", []byte(c.text))
		require.ErrorContains(t, err, c.want, c.text)
		require.Equal(t, diag.Invalid, diag.KindOf(err), c.text)
	}
}

func TestWindow(t *testing.T) {
	weekly := Window{
		Why: "beam time", Start: "2026-03-23T09:00", Zone: "Europe/London", For: "8h", Repeat: "FREQ=WEEKLY;BYDAY=MO",
	}
	once := Window{Start: "2026-11-30T09:00", Zone: "UTC", For: "2h"}
	days := Window{
		Start: "2026-11-02T00:00", Zone: "America/Chicago", For: "96h",
		Repeat: "FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270101T000000Z",
	}
	// clocks in London are set back on 2026-10-25 at 01:00:00Z, by an hour
	always := Window{Start: "2026-01-04T00:00", Zone: "Europe/London", For: "24h", Repeat: "FREQ=DAILY"}
	hourly := Window{Start: "2026-01-04T00:00", Zone: "Europe/London", For: "1h", Repeat: "FREQ=HOURLY"}
	twice := Window{Start: "2026-10-25T01:30", Zone: "Europe/London", For: "10m"}
	skipped := Window{Start: "2026-03-29T01:30", Zone: "Europe/London", For: "1h"}
	tuesday := Window{Start: "2026-12-01T09:00", Zone: "UTC", For: "8h", Repeat: "FREQ=WEEKLY;BYDAY=MO"}
	never := Window{Start: "2026-12-01T09:00", Zone: "UTC", For: "8h", Repeat: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}
	ended := Window{Start: "2026-12-01T09:00", Zone: "UTC", For: "8h", Repeat: "FREQ=DAILY;UNTIL=20261130T000000Z"}
	fifth := Window{Start: "2026-12-01T09:00", Zone: "UTC", For: "1h", Repeat: "FREQ=HOURLY;INTERVAL=5;BYHOUR=10"}
	for name, c := range map[string]struct {
		window Window
		now    string
		until  string // empty when it is not open
	}{
		"in winter time":                  {weekly, "2026-03-23T09:00:00Z", "2026-03-23T17:00:00Z"},
		"in summer time an hour before":   {weekly, "2026-03-30T08:00:00Z", "2026-03-30T16:00:00Z"},
		"not yet, in summer time":         {weekly, "2026-03-30T07:59:59Z", ""},
		"over":                            {weekly, "2026-03-30T16:00:00Z", ""},
		"another day":                     {weekly, "2026-03-31T10:00:00Z", ""},
		"before the first":                {weekly, "2026-03-16T10:00:00Z", ""},
		"once":                            {once, "2026-11-30T10:59:59Z", "2026-11-30T11:00:00Z"},
		"never again":                     {once, "2026-12-01T10:00:00Z", ""},
		"days, by the clock on the wall":  {days, "2026-12-09T05:59:59Z", "2026-12-11T06:00:00Z"},
		"the hour more of a day":          {always, "2026-10-25T23:30:00Z", "2026-10-26T00:00:00Z"},
		"the hour less of a day":          {always, "2026-03-29T22:30:00Z", "2026-03-30T00:00:00Z"},
		"an hour that comes twice":        {hourly, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
		"a beginning that comes twice":    {twice, "2026-10-25T00:30:00Z", "2026-10-25T01:40:00Z"},
		"between the two":                 {twice, "2026-10-25T00:29:00Z", ""},
		"a beginning that never comes":    {skipped, "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"},
		"past the end of the recurrences": {days, "2027-01-04T12:00:00Z", ""},
		"a start beside the rule":         {tuesday, "2026-12-01T10:00:00Z", "2026-12-01T17:00:00Z"},
		"before that":                     {tuesday, "2026-12-01T08:59:59Z", ""},
		"after that":                      {tuesday, "2026-12-01T17:00:00Z", ""},
		"and then by the rule":            {tuesday, "2026-12-07T10:00:00Z", "2026-12-07T17:00:00Z"},
		"a rule that never holds":         {never, "2026-12-01T10:00:00Z", "2026-12-01T17:00:00Z"},
		"a rule that has ended":           {ended, "2026-12-01T10:00:00Z", "2026-12-01T17:00:00Z"},
		"a day after it":                  {ended, "2026-12-02T10:00:00Z", ""},
		"an hour that comes in days":      {fifth, "2026-12-02T10:30:00Z", "2026-12-02T11:00:00Z"},
		"an hour that is left out":        {fifth, "2026-12-02T05:30:00Z", ""},
	} {
		require.NoError(t, c.window.check(), name)
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		until, in := c.window.In(now)
		require.Equal(t, c.until != "", in, name)
		if in {
			require.Equal(t, c.until, until.UTC().Format(time.RFC3339), name)
		}
	}
}

func TestVerify(t *testing.T) {
	const unsigned = "unsigned: a test beamline\n"
	p, err := Read("policy.yaml", []byte(unsigned+"verify:\n  for: 90s\n  pvs: [BL01T-MO-01:X.STAT]\n"))
	require.NoError(t, err)
	require.Equal(t, &Verify{For: "90s", PVs: []string{"BL01T-MO-01:X.STAT"}}, p.Verify)
	length, err := p.Verify.For.Duration()
	require.NoError(t, err)
	require.Equal(t, 90*time.Second, length)
	p, err = Read("policy.yaml", []byte(unsigned))
	require.NoError(t, err)
	require.Nil(t, p.Verify)
}

func TestEvents(t *testing.T) {
	text := "unsigned: a test beamline\nevents:\n"
	for i, address := range []string{
		"https://logbook.example/hooks/T0KEN", "http://relay.tools.svc:8080", "http://relay.tools.svc.cluster.local/x",
		"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1",
	} {
		text += "  - {name: " + string(rune('a'+i)) + ", url: \"" + address + "\"}\n"
	}
	p, err := Read("policy.yaml", []byte(text))
	require.NoError(t, err)
	require.Len(t, p.Events, 6)
	require.Equal(t, Receiver{Name: "a", URL: "https://logbook.example/hooks/T0KEN"}, p.Events[0])
}

func TestHold(t *testing.T) {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	require.False(t, Hold{}.Ended(now))
	require.False(t, Hold{Until: "2026-11-26T00:00:01Z"}.Ended(now))
	require.True(t, Hold{Until: "2026-11-26T00:00:00Z"}.Ended(now))
}

// A team may approve more often than it has entries.
func TestApproversOnGitHub(t *testing.T) {
	p, err := Read(
		"policy.yaml",
		[]byte(
			"unsigned: a test beamline\napprovals:\n  count: 2\n"+
				"  from: [{name: staff, github: some-org/bl01t-staff}]\n"+
				"  github: {repository: some-org/site, workflow: promote.yml}\n",
		),
	)
	require.NoError(t, err)
	require.Equal(t, "promote.yml", p.Approvals.GitHub.Workflow)
}

// FuzzRead: no text makes the reader panic, and what it accepts can be asked.
func FuzzRead(f *testing.F) {
	f.Add("unsigned: a test without hardware\n")
	f.Add(
		"unsigned: a test without hardware\n" +
			"closed: [{why: x, start: 2026-11-30T09:00, zone: UTC, for: 1h, repeat: FREQ=WEEKLY}]\n",
	)
	f.Add("signers: [{identity: x, assets: [\"[\"]}]\n")
	f.Add("unsigned: a test without hardware\nverify:\n  for: 2m\n  pvs: [A:X]\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read("policy.yaml", []byte(text))
		if err != nil {
			return
		}
		if p.Unsigned == "" && len(p.Signers) == 0 {
			t.Errorf("a policy without signers was read: %q", text)
		}
		if p.Verify != nil {
			if length, err := p.Verify.For.Duration(); err != nil || length <= 0 {
				t.Errorf("a watch of no length was read: %q", text)
			}
		}
		for _, w := range p.Closed {
			w.In(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
		}
	})
}

// TestTemplate: each policy that init writes can be read, and says what was asked.
func TestTemplate(t *testing.T) {
	_, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	text, err := Template{
		Keys: []string{string(public)}, Identities: []string{"https://x/release.yml"},
		Approvers: []Approver{{Name: "ajp", Key: string(public)}, {Name: "jane", Key: string(public)}},
	}.Text("bl01t")
	require.NoError(t, err)
	p, err := Read("policy.yaml", []byte(text))
	require.NoError(t, err)
	require.Len(t, p.Signers, 2)
	require.Equal(t, string(public), p.Signers[0].Key)
	require.Equal(t, 1, p.Approvals.Count)
	require.Equal(t, "jane", p.Approvals.From[1].Name)

	text, err = Template{Unsigned: "a \"test\": beamline"}.Text("bl01t")
	require.NoError(t, err)
	p, err = Read("policy.yaml", []byte(text))
	require.NoError(t, err)
	require.Equal(t, "a \"test\": beamline", p.Unsigned)

	_, err = Template{Approvers: []Approver{{Name: "ajp", Key: string(public)}}}.Text("bl01t")
	require.ErrorContains(t, err, "nobody may sign releases; give --key")
	require.True(t, Template{}.Empty())
}

func TestAllows(t *testing.T) {
	p := &Policy{Consents: []Consent{
		{Charts: []string{"bl01t-ea-*", "bl01t-gw"}, To: []string{"kind Service", "host path /dev/ttyUSB0"}},
		{Charts: []string{"*"}, To: []string{"hook post-install"}},
	}}
	for _, c := range []struct {
		instance, need string
		want           bool
	}{
		{"bl01t-gw", "kind Service", true},
		{"bl01t-ea-1", "host path /dev/ttyUSB0", true},
		{"bl01t-mo", "hook post-install", true},
		{"bl01t-mo", "kind Service", false},
		{"bl01t-gw", "host path /dev", false},
		{"bl01t-gw", "host path /dev/ttyUSB01", false},
		{"bl01t-gw", "hook", false},
	} {
		if p.Allows(c.instance, c.need) != c.want {
			t.Errorf("%+v", c)
		}
	}
}
