package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShut(t *testing.T) {
	p, err := Read("policy.yaml", []byte("unsigned: a test without hardware\nclosed:\n"+
		"- {why: beam time, start: 2026-11-30T09:00, zone: Europe/London, for: 96h, approvals: 2}\n"+
		"- {why: shutdown, start: 2026-12-02T09:00, zone: UTC, for: 1h}\n"+
		"holds:\n- {why: vacuum work, until: \"2026-12-02T10:00:00Z\"}\n- why: a leak\n"))
	require.NoError(t, err)
	for at, want := range map[string][]string{
		"2026-11-29T12:00:00Z": {"vacuum work until 2026-12-02 10:00 UTC", "a leak"},
		"2026-12-02T09:30:00Z": {
			"beam time until 2026-12-04 09:00 UTC, or with 2 approvals", "shutdown until 2026-12-02 10:00 UTC",
			"vacuum work until 2026-12-02 10:00 UTC", "a leak",
		},
		"2026-12-05T00:00:00Z": {"a leak"},
	} {
		now, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, want, p.Shut(now), at)
	}
	require.Nil(t, (&Policy{}).Shut(time.Now()))
}
