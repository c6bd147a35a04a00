package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func TestALedgerIsReadBack(t *testing.T) {
	n := namespace(fake.NewClientset())
	l, err := Read(t.Context(), n)
	require.NoError(t, err)
	require.Nil(t, l.Current())
	l.Push(Release{
		Record: record.Record{Version: assettest.Version("1.0")},
		Digest: asset.Digest("sha256:" + strings.Repeat("1", 64)),
	})
	l.Hold = &Note{By: "ada", Reason: "rolled back from 2"}
	l.Override("a", Override{Node: "node2"})
	require.NoError(t, l.Save(t.Context(), n))
	l.Override("a", Override{})
	require.NoError(t, l.Save(t.Context(), n), "it may be saved again")
	again, err := Read(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, l.Releases, again.Releases)
	require.Equal(t, "rolled back from 2", again.Hold.Reason)
	require.Empty(t, again.Overrides)
}

func TestALedgerThatCannotBeReadIsAnError(t *testing.T) {
	cm := ran("bl01t", "bl01t")
	cm.Data[key] = "{"
	_, err := Read(t.Context(), namespace(fake.NewClientset(cm)))
	require.ErrorContains(t, err, "mend or delete ConfigMap tagline")
	_, err = Read(t.Context(), namespace(fake.NewClientset(ran("bl02t", "bl01t"))))
	require.ErrorContains(t, err, `beamline "bl02t" runs there`)
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

func TestALedgerThatSomebodyChangedIsNotOverwritten(t *testing.T) {
	client := fake.NewClientset(ran("bl01t", "bl01t"))
	client.PrependReactor("update", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(
			schema.GroupResource{Resource: "configmaps"}, Name, errors.New("changed"),
		)
	})
	l, err := Read(t.Context(), namespace(client))
	require.NoError(t, err)
	require.ErrorContains(t, l.Save(t.Context(), namespace(client)), "somebody else changed it meanwhile")
}

func TestHistoryIsNewestFirstAndBounded(t *testing.T) {
	n := namespace(fake.NewClientset())
	entries, err := Entries(t.Context(), n)
	require.NoError(t, err)
	require.Empty(t, entries)
	for i := range 3 {
		require.NoError(t, Append(t.Context(), n, Entry{
			Did: "promote", Version: fmt.Sprint(i), Failed: strings.Repeat("x", 2*longestText),
			Verified: strings.Repeat("y", 2*longestText),
		}))
	}
	entries, err = Entries(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, []string{"2", "1", "0"}, []string{entries[0].Version, entries[1].Version, entries[2].Version})
	require.LessOrEqual(t, len(entries[0].Failed), longestText+len("…"))
	require.LessOrEqual(t, len(entries[0].Verified), longestText+len("…"))
	text, err := newest(make([]Entry, 3*mostEntries))
	require.NoError(t, err)
	require.Less(t, len(text), largest)
	long := Entry{Reason: strings.Repeat("x", longestText)}
	all := []Entry{}
	for range mostEntries {
		all = append(all, long)
	}
	all = append(all, Entry{Did: "the last"})
	text, err = newest(all)
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), largest)
	require.Contains(t, string(text), "the last")
}

func TestABrokenHistoryIsNotOverwritten(t *testing.T) {
	broken := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: HistoryName, Namespace: "bl01t"}, Data: map[string]string{historyKey: "{"},
	}
	n := namespace(fake.NewClientset(broken))
	require.Error(t, Append(t.Context(), n, Entry{Did: "stop"}))
}
