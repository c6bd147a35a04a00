// Clock HOST PORT is Sigstore's timestamp authority at one address. The
// server that comes with it also takes port 2112, whatever its flags say, so that
// no two of it can run.
package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	const policy = "1.3.6.1.4.1.57264.2" // Sigstore's own
	for name, value := range map[string]any{
		"timestamp-signer":      "memory", // the key is gone with the program
		"timestamp-signer-hash": "sha256",
		"accepted-policy-oids":  []string{policy},
		"default-policy-oid":    policy,
		"max-request-body-size": 1 << 20,
	} {
		viper.Set(name, value)
	}
	s := server.NewRestAPIServer(os.Args[1], port, []string{"http"}, false, time.Minute, time.Minute)
	log.Fatal(s.Serve())
}
