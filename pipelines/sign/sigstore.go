package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Sigstore is one instance of https://docs.sigstore.dev: a certificate authority
// that issues short-lived certificates for OIDC tokens, and the logs and clocks
// that witness when something was signed.
type Sigstore struct {
	root     *root.TrustedRoot
	services *root.SigningConfig // nil where nothing is signed
}

// ReadSigstore reads an instance's description from Sigstore's own files: its
// trusted_root.json, and for signing its signing_config.json with the addresses
// of its services. services is nil where nothing is signed.
func ReadSigstore(trustedRoot, services []byte) (*Sigstore, error) {
	s := &Sigstore{}
	var err error
	if s.root, err = root.NewTrustedRootFromJSON(trustedRoot); err != nil {
		return nil, badSigstore("reading the trusted root", err)
	}
	if len(s.root.FulcioCertificateAuthorities()) == 0 ||
		len(s.root.RekorLogs())+len(s.root.TimestampingAuthorities()) == 0 {
		return nil, badSigstore(
			"reading the trusted root",
			errors.New("it names no certificate authority, or nothing that witnesses times"),
		)
	}
	if services == nil {
		return s, nil
	}
	if s.services, err = root.NewSigningConfigFromJSON(services); err != nil {
		return nil, badSigstore("reading the signing config", err)
	}
	return s, nil
}

func badSigstore(doing string, err error) error {
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: doing,
		Err:   err,
		Fix:   "name the trusted_root.json and signing_config.json of your Sigstore, or none for the public one",
	}
}

// PublicSigstore returns the public instance as its own signed repository
// describes it now: https://theupdateframework.io. Nothing is kept on disk.
func PublicSigstore(ctx context.Context) (*Sigstore, error) {
	return fetchSigstore(ctx, tuf.DefaultMirror, tuf.DefaultRoot())
}

// fetchSigstore reads a TUF repository whose first root is known.
func fetchSigstore(ctx context.Context, address string, first []byte) (*Sigstore, error) {
	get := fetcher.NewDefaultFetcher()
	get.SetHTTPClient(&http.Client{Timeout: 30 * time.Second, Transport: until{ctx}})
	client, err := tuf.New(
		&tuf.Options{RepositoryBaseURL: address, Root: first, Fetcher: get, DisableLocalCache: true},
	)
	if err != nil {
		return nil, unreachable(address, err)
	}
	s := &Sigstore{}
	if s.root, err = root.GetTrustedRoot(client); err != nil {
		return nil, unreachable(address, err)
	}
	if s.services, err = root.GetSigningConfig(client); err != nil {
		return nil, unreachable(address, err)
	}
	return s, nil
}

func unreachable(address string, err error) error {
	return &diag.Error{
		Kind:  diag.Broken,
		Doing: "fetching the trusted root from " + address,
		Err:   err,
		Fix:   "run it again, or name a copy of its trusted root",
	}
}

// Trust returns a Trust in one identity of one OIDC issuer, which is an address:
// "https://token.actions.githubusercontent.com". identity is the subject of its
// certificates. That of a workflow may be written without its git ref, as in
// "https://github.com/some-org/site/.github/workflows/release.yml": then only the
// run for a release's own tag is trusted with that release.
func (s *Sigstore) Trust(identity, issuer string) (*Trust, error) {
	if identity == "" || issuer == "" {
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "reading the trusted signers",
			Err:   errors.New("identity or issuer is empty"),
			Fix:   "name both, as the certificate has them",
		}
	}
	workflow := strings.HasSuffix(identity, ".yml") || strings.HasSuffix(identity, ".yaml")
	return s.trust(issuer, func(tag string) string {
		if workflow {
			return identity + "@refs/tags/" + tag
		}
		return identity
	})
}

// trust returns a Trust in the identity that may sign the release of each tag.
func (s *Sigstore) trust(issuer string, identity func(tag string) string) (*Trust, error) {
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if len(s.root.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	if len(s.root.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	v, err := verify.NewVerifier(s.root, options...)
	if err != nil {
		return nil, fmt.Errorf("trusting a Sigstore: %w", err)
	}
	return &Trust{
		verifier: v,
		identity: func(tag string) (verify.PolicyOption, error) {
			certified, err := verify.NewShortCertificateIdentity(issuer, "", identity(tag), "")
			return verify.WithCertificateIdentity(certified), err
		},
		named: func(signer, tag string) bool { return signer == identity(tag) },
	}, nil
}

// until ends requests with a context: Sigstore's clients accept none.
type until struct{ ctx context.Context }

// RoundTrip implements http.RoundTripper.
func (u until) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	context.AfterFunc(u.ctx, cancel)
	return http.DefaultTransport.RoundTrip(req.WithContext(ctx))
}

// witnesses returns the transparency logs and timestamp authorities that are
// asked to witness a signature.
func (s *Sigstore) witnesses(ctx context.Context) (o sign.BundleOptions, err error) {
	now := time.Now()
	if urls := s.services.RekorLogURLs(); len(urls) > 0 {
		logs, err := root.SelectServices(urls, s.services.RekorLogURLsConfig(), sign.RekorAPIVersions, now)
		if err != nil {
			return o, badSigstore("choosing a transparency log", err)
		}
		for _, l := range logs {
			o.TransparencyLogs = append(
				o.TransparencyLogs,
				sign.NewRekor(&sign.RekorOptions{BaseURL: l.URL, Version: l.MajorAPIVersion, Retries: tries}),
			)
		}
	}
	if urls := s.services.TimestampAuthorityURLs(); len(urls) > 0 {
		clocks, err := root.SelectServices(
			urls,
			s.services.TimestampAuthorityURLsConfig(),
			sign.TimestampAuthorityAPIVersions,
			now,
		)
		if err != nil {
			return o, badSigstore("choosing a timestamp authority", err)
		}
		for _, c := range clocks {
			o.TimestampAuthorities = append(
				o.TimestampAuthorities,
				sign.NewTimestampAuthority(
					&sign.TimestampAuthorityOptions{URL: c.URL, Retries: tries, Transport: until{ctx}},
				),
			)
		}
	}
	return o, nil
}
