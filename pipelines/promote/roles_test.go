package promote_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// roles renders the roles of deploy/tagline-roles for a beamline without events, by name,
// with a user ada who looks.
func roles(t testing.TB) (map[string]*rbacv1.Role, []rbacv1.RoleBinding) {
	t.Helper()
	return render(t, "bl01t", map[string]any{"looking": []any{map[string]any{"kind": "User", "name": "ada"}}})
}

// render renders the chart of roles for a namespace: roles by name, and bindings.
func render(t testing.TB, namespace string, values map[string]any) (map[string]*rbacv1.Role, []rbacv1.RoleBinding) {
	t.Helper()
	c, err := loader.LoadDir("../../deploy/tagline-roles")
	require.NoError(t, err)
	all, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "roles", Namespace: namespace}, nil)
	require.NoError(t, err)
	files, err := engine.Render(c, all)
	require.NoError(t, err)
	found, bindings := map[string]*rbacv1.Role{}, []rbacv1.RoleBinding{}
	for _, document := range strings.Split(files["tagline-roles/templates/roles.yaml"], "---\n") {
		role, binding := &rbacv1.Role{}, rbacv1.RoleBinding{}
		switch {
		case strings.Contains(document, "kind: RoleBinding"):
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), &binding), document)
			bindings = append(bindings, binding)
		case strings.Contains(document, "kind: Role"):
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), role), document)
			found[strings.TrimPrefix(role.Name, "tagline-")] = role
		}
	}
	return found, bindings
}

// given returns the values that give each role to a user who is called as it, in a
// beamline with events.
func given() map[string]any {
	values := map[string]any{"events": true}
	for _, name := range []string{"looking", "operating", "promoting", "administering"} {
		values[name] = []any{map[string]any{"kind": "User", "name": name}}
	}
	return values
}

// may reports whether a role allows something to all objects of a kind, or to one of
// that name.
func may(role *rbacv1.Role, verb, group, resource string, name ...string) bool {
	return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		named := len(name) > 0 && slices.Contains(r.ResourceNames, name[0])
		return (named || len(r.ResourceNames) == 0) && slices.Contains(r.Verbs, verb) &&
			slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, resource)
	})
}

// Who looks reads what operations keep, and who operates writes it: the ledger, the
// history, the acknowledgements and the consoles, and no policy.
func TestWhoWritesWhatOperationsKeep(t *testing.T) {
	all, _ := roles(t)
	for _, name := range []string{ledger.Name, ledger.HistoryName, ledger.AcknowledgedName, ledger.ConsolesName} {
		require.True(t, may(all["looking"], "watch", "", "configmaps", name), name)
		require.False(t, may(all["looking"], "update", "", "configmaps", name), name)
		require.True(t, may(all["operating"], "update", "", "configmaps", name), name)
	}
	require.False(t, may(all["looking"], "create", "", "configmaps"), "the first that is acknowledged")
	require.True(t, may(all["operating"], "create", "", "configmaps"))
	require.False(t, may(all["operating"], "update", "", "configmaps", "tagline-policy"))
}

// Each role may do what the one before it may, and one thing more.
func TestWhatRolesMayNotDo(t *testing.T) {
	all, bindings := roles(t)
	order := []string{"looking", "operating", "promoting", "administering"}
	for _, c := range []struct{ first, verb, group, resource string }{
		{"looking", "list", "", "pods"},
		{"looking", "get", "", "pods/log"},
		{"looking", "list", "", "secrets"},
		{"looking", "get", "", "secrets"},
		{"looking", "get", "coordination.k8s.io", "leases"},
		{"operating", "patch", "apps", "deployments"},
		{"operating", "delete", "", "pods"},
		{"operating", "create", "", "pods/attach"},
		{"operating", "update", "coordination.k8s.io", "leases"},
		{"promoting", "create", "apps", "deployments"},
		{"promoting", "create", "", "secrets"},
		{"promoting", "update", "", "configmaps"},
		{"promoting", "delete", "", "persistentvolumeclaims"},
		{"promoting", "create", "", "services"},
		{"promoting", "create", "", "pods"},
		{"administering", "patch", "", "pods/ephemeralcontainers"},
		{"administering", "update", "tagline", "policies"},
		{"administering", "create", "rbac.authorization.k8s.io", "rolebindings"},
		{"nobody", "delete", "", "namespaces"},
		{"nobody", "impersonate", "", "users"},
		{"nobody", "create", "admissionregistration.k8s.io", "validatingadmissionpolicies"},
	} {
		allowed := false
		for _, name := range order {
			allowed = allowed || name == c.first
			require.Equal(
				t, allowed, may(all[name], c.verb, c.group, c.resource), "%s: %s %s", name, c.verb, c.resource,
			)
		}
	}
	for name, role := range all {
		for _, rule := range role.Rules {
			require.NotContains(t, slices.Concat(rule.Verbs, rule.Resources, rule.APIGroups), "*", name)
		}
	}
	require.Len(t, bindings, 1, "nobody has a role that was not given")
	require.Equal(t, "tagline-looking", bindings[0].RoleRef.Name)
	require.Equal(t, []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "ada"}}, bindings[0].Subjects)
}

// Whoever writes the history reads the keys with which it is told, and who only looks has
// no right where they are. Without events nothing is made beyond the beamline's namespace.
func TestWhoReadsTheKeysOfEvents(t *testing.T) {
	keys := events.KeysOf("bl01t")
	all, bindings := render(t, "bl01t", given())
	telling := all["telling"]
	require.Equal(t, keys, telling.Namespace)
	require.Equal(t, []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{events.SecretName},
		Verbs: []string{"get"},
	}}, telling.Rules)
	var may []string
	for _, b := range bindings {
		if b.Namespace == "" { // that of the beamline
			continue
		}
		require.Equal(t, keys, b.Namespace)
		require.Equal(t, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "tagline-telling"}, b.RoleRef)
		for _, who := range b.Subjects {
			may = append(may, who.Name)
		}
	}
	require.Equal(t, []string{"operating", "promoting", "administering"}, may)

	none, bindings := roles(t)
	require.NotContains(t, none, "telling")
	for _, b := range bindings {
		require.Empty(t, b.Namespace)
	}
}

// Nodes are of no namespace: who may look at them is given it by a value of its own.
func TestWhoLooksAtNodes(t *testing.T) {
	c, err := loader.LoadDir("../../deploy/tagline-roles")
	require.NoError(t, err)
	everywhere := func(nodes bool) (role rbacv1.ClusterRole, binding rbacv1.ClusterRoleBinding) {
		values := given()
		values["nodes"], values["promoting"] = nodes, values["looking"]
		release := chartutil.ReleaseOptions{Name: "roles", Namespace: "bl01t"}
		all, err := chartutil.ToRenderValues(c, values, release, nil)
		require.NoError(t, err)
		files, err := engine.Render(c, all)
		require.NoError(t, err)
		for _, document := range strings.Split(files["tagline-roles/templates/roles.yaml"], "---\n") {
			switch {
			case strings.Contains(document, "\nkind: ClusterRoleBinding\n"):
				require.NoError(t, yaml.UnmarshalStrict([]byte(document), &binding), document)
			case strings.Contains(document, "\nkind: ClusterRole\n"):
				require.NoError(t, yaml.UnmarshalStrict([]byte(document), &role), document)
			}
		}
		return role, binding
	}
	role, binding := everywhere(false)
	require.Empty(t, role.Name+binding.Name)
	role, binding = everywhere(true)
	require.Equal(t, []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list"},
	}}, role.Rules)
	require.Equal(t, role.Name, binding.RoleRef.Name)
	require.Len(t, binding.Subjects, 3, "each once")
}
