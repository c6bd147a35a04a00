package engine

import (
	"context"
	"fmt"
	"strings"

	"dagger.io/dagger"
)

// LogIn lets a session pull from and push to the registry "host/path" as a user. The
// password reaches the engine as a secret.
func LogIn(ctx context.Context, client *dagger.Client, registry, user, password string) error {
	host, _, _ := strings.Cut(registry, "/")
	secret := client.SetSecret("registry-password", password)
	if _, err := client.Container().WithRegistryAuth(host, user, secret).ID(ctx); err != nil {
		return fmt.Errorf("giving the engine the login for %s: %w", host, err)
	}
	return nil
}
