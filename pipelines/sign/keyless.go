package sign

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// tries is how often a failed request to a service of Sigstore is repeated.
const tries = 3

// Keyless signs as the identity in an OIDC token, with a key that is never
// stored and a certificate that is valid for some minutes. It is not safe for
// concurrent use.
type Keyless struct {
	sigstore *Sigstore
	token    Token
	pair     *sign.EphemeralKeypair
	cert     *x509.Certificate // nil until the first signature
}

// Signer returns a signer for the identity in the token. The instance must have
// been read with its services. No request is sent before something is signed.
func (s *Sigstore) Signer(token Token) *Keyless { return &Keyless{sigstore: s, token: token} }

// Sign returns the signed statement: a sigstore bundle, JSON of MediaType. It
// checks its own signature as a verifier would. No error holds the token.
func (k *Keyless) Sign(ctx context.Context, s Statement) ([]byte, error) {
	identity, err := k.identity(ctx)
	if err != nil {
		return nil, err
	}
	trust, err := k.sigstore.trust(identity.Issuer, func(string) string { return identity.SubjectAlternativeName })
	if err != nil {
		return nil, err
	}
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	options, err := k.sigstore.witnesses(ctx)
	if err != nil {
		return nil, err
	}
	options.Context, options.CertificateProvider = ctx, held{k.cert.Raw}
	signed, err := signText(text, k.pair, options)
	if err != nil {
		return nil, &diag.Error{
			Kind:  diag.Broken,
			Doing: "signing",
			Asset: s.Name,
			Err:   err,
			Fix:   "run it again to finish",
		}
	}
	if _, err := trust.Check(signed, s.Digest, s.Kind, ""); err != nil {
		return nil, fmt.Errorf("checking own signature: %w", err)
	}
	return signed, nil
}

// Trust returns a Trust in this signer alone: where it is a workflow that runs for
// a git tag, in that workflow's runs for the tag of each release. It requests the
// certificate, which names the identity.
func (k *Keyless) Trust(ctx context.Context) (*Trust, error) {
	identity, err := k.identity(ctx)
	if err != nil {
		return nil, err
	}
	if workflow, _, tagged := strings.Cut(identity.SubjectAlternativeName, "@refs/tags/"); tagged {
		return k.sigstore.Trust(workflow, identity.Issuer)
	}
	return k.sigstore.Trust(identity.SubjectAlternativeName, identity.Issuer)
}

// identity returns what the signer's certificate says.
func (k *Keyless) identity(ctx context.Context) (identity certificate.Summary, err error) {
	if err := k.certify(ctx); err != nil {
		return identity, err
	}
	if identity, err = certificate.SummarizeCertificate(k.cert); err != nil {
		return identity, fmt.Errorf("reading own certificate: %w", err)
	}
	return identity, nil
}

// certify gets a key pair and its certificate, unless the current certificate is
// valid for a while.
func (k *Keyless) certify(ctx context.Context) error {
	if k.cert != nil && time.Until(k.cert.NotAfter) > time.Minute {
		return nil
	}
	authority, err := root.SelectService(
		k.sigstore.services.FulcioCertificateAuthorityURLs(),
		sign.FulcioAPIVersions,
		time.Now(),
	)
	if err != nil {
		return badSigstore("choosing a certificate authority", err)
	}
	token, err := k.token(ctx)
	if err != nil {
		return err
	}
	if k.pair, err = sign.NewEphemeralKeypair(nil); err != nil {
		return fmt.Errorf("making key pair: %w", err)
	}
	der, err := sign.NewFulcio(&sign.FulcioOptions{BaseURL: authority.URL, Retries: tries, Transport: until{ctx}}).
		GetCertificate(ctx, k.pair, &sign.CertificateProviderOptions{IDToken: token})
	if err == nil {
		k.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return &diag.Error{
			Kind:  diag.Broken,
			Doing: "asking " + authority.URL + " for a certificate",
			Err:   hide(err, token),
			Fix:   "see that it takes tokens of this issuer, then run it again to finish",
		}
	}
	return nil
}

// held is a certificate that was requested before.
type held struct{ der []byte }

// GetCertificate returns the certificate that is held.
func (h held) GetCertificate(context.Context, sign.Keypair, *sign.CertificateProviderOptions) ([]byte, error) {
	return h.der, nil
}

// hide returns err without the secret in its text.
func hide(err error, secret string) error {
	if secret == "" || !strings.Contains(err.Error(), secret) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), secret, "***"))
}
