package shelf

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
)

// registryHandler serves an OCI registry whose content lies in dir and is
// still there when it is served again. Anybody who reaches it may write.
func registryHandler(ctx context.Context, dir string) (http.Handler, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	logrus.SetLevel(logrus.FatalLevel) // even "not there yet" is an error to it
	c := &configuration.Configuration{
		Version: "0.1",
		Storage: configuration.Storage{
			"filesystem": {"rootdirectory": dir},
			"delete":     {"enabled": true},
		},
	}
	c.Log.AccessLog.Disabled = true
	c.HTTP.Secret = rand.Text() // only signs uploads in progress
	c.Catalog.MaxEntries = 1000 // 0 makes it refuse every listing
	return handlers.NewApp(ctx, c), nil
}
