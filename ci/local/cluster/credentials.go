package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

	"github.com/tagline-ci/tagline/ci/local/state"
)

const (
	certificateLife = 365 * 24 * time.Hour // each start makes new ones
	serviceCIDR     = "10.88.0.0/24"
	apiServiceIP    = "10.88.0.1" // the first of them, by Kubernetes' rule
)

// authority signs the cluster's certificates.
type authority struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// identity is what a certificate says about its holder: the user and the groups of
// a client, the addresses of a server.
type identity struct {
	User   string
	Groups []string
	Hosts  []string // names and addresses; a server when there are any
}

// users are the clients of the API server. system:masters may do anything; the
// others have the roles that RBAC binds to their names from the start.
var users = map[string]identity{
	"admin":              {User: "cluster-admin", Groups: []string{"system:masters"}},
	"controller-manager": {User: "system:kube-controller-manager"},
	"scheduler":          {User: "system:kube-scheduler"},
	"proxy":              {User: "system:kube-proxy"},
}

func (c cluster) pki(name string) string { return c.path("pki", name) }

func (c cluster) kubeconfig(user string) string { return c.path(user + ".kubeconfig") }

// haveKubeconfigs reports whether each user has one: a cluster that an earlier
// tagline started may run without one of them.
func (c cluster) haveKubeconfigs() bool {
	for user := range users {
		if !state.Exists(c.kubeconfig(user)) {
			return false
		}
	}
	return state.Exists(c.first().kubeconfig())
}

func (c cluster) apiURL() string { return fmt.Sprintf("https://%s:%d", c.NodeIP, apiPort) }

// writeCredentials makes certificates and kubeconfigs anew, those of the first node
// too, from an authority and a service account key that are made once: what was
// handed out stays good.
func (c cluster) writeCredentials() error {
	if err := os.MkdirAll(c.path("pki"), 0o700); err != nil {
		return err
	}
	if err := ensureKey(c.pki("service-accounts.key")); err != nil {
		return err
	}
	ca, err := ensureAuthority(c.pki("ca.crt"), c.pki("ca.key"))
	if err != nil {
		return err
	}
	for name, id := range map[string]identity{
		"apiserver": {User: "kube-apiserver", Hosts: []string{"127.0.0.1", "localhost", c.NodeIP, apiServiceIP,
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		"kubelet-client": {User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
	} {
		if err := ca.writePair(c.pki(name), id); err != nil {
			return err
		}
	}
	for user, id := range users {
		if err := ca.writeKubeconfig(c.kubeconfig(user), c.apiURL(), id); err != nil {
			return err
		}
	}
	return c.first().writeCredentials(ca)
}

// writeCredentials makes the certificate by which the API server knows the kubelet,
// and the kubeconfig by which the kubelet is known there.
func (n node) writeCredentials(ca authority) error {
	return errors.Join(
		ca.writePair(n.pki("kubelet"), identity{User: n.Name, Hosts: []string{n.Name, n.NodeIP}}),
		ca.writeKubeconfig(n.kubeconfig(), n.apiURL(),
			identity{User: "system:node:" + n.Name, Groups: []string{"system:nodes"}}),
	)
}

// writePair writes a certificate and its key, to path with .crt and .key.
func (a authority) writePair(path string, id identity) error {
	crt, key, err := a.issue(id)
	if err != nil {
		return fmt.Errorf("signing the certificate of %s: %w", id.User, err)
	}
	return errors.Join(state.WriteFile(path+".crt", crt, 0o644), state.WriteFile(path+".key", key, 0o600))
}

// writeKubeconfig writes the file by which that user reaches the API server.
func (a authority) writeKubeconfig(path, server string, id identity) error {
	b, err := a.kubeconfig(server, id)
	if err != nil {
		return fmt.Errorf("making the kubeconfig of %s: %w", id.User, err)
	}
	return state.WriteFile(path, b, 0o600)
}

// ensureKey writes a new private key unless there is one.
func ensureKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	b, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return err
	}
	return state.WriteFile(path, b, 0o600)
}

// ensureAuthority reads the authority, or makes it when there is none. The
// certificate is written last: without it the key counts for nothing.
func ensureAuthority(crtPath, keyPath string) (authority, error) {
	if _, err := os.Stat(crtPath); errors.Is(err, os.ErrNotExist) {
		if err := makeAuthority(crtPath, keyPath); err != nil {
			return authority{}, fmt.Errorf("making the cluster's certificate authority: %w", err)
		}
	}
	certs, err := cert.CertsFromFile(crtPath)
	if err != nil {
		return authority{}, err
	}
	key, err := keyutil.PrivateKeyFromFile(keyPath)
	if err != nil {
		return authority{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return authority{}, fmt.Errorf("%s: a %T cannot sign", filepath.Base(keyPath), key)
	}
	return authority{Cert: certs[0], Key: signer}, nil
}

func makeAuthority(crtPath, keyPath string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	crt, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "tagline stand-in"}, key)
	if err != nil {
		return err
	}
	pemKey, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	pemCrt, err := cert.EncodeCertificates(crt)
	if err != nil {
		return err
	}
	return errors.Join(state.WriteFile(keyPath, pemKey, 0o600), state.WriteFile(crtPath, pemCrt, 0o644))
}

// issue signs a certificate for a new key; both are PEM.
func (a authority) issue(id identity) (crt, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: nil, // drawn by CreateCertificate
		Subject:      pkix.Name{CommonName: id.User, Organization: id.Groups},
		NotBefore:    time.Now().Add(-time.Hour), // clocks are set back
		NotAfter:     time.Now().Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(id.Hosts) > 0 {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, h := range id.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.Cert, private.Public(), a.Key)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	if crt, err = cert.EncodeCertificates(signed); err != nil {
		return nil, nil, err
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(private)
	return crt, key, err
}

// kubeconfig returns the file by which that user reaches the API server; it names
// no other file, so it can be copied.
func (a authority) kubeconfig(server string, id identity) ([]byte, error) {
	crt, key, err := a.issue(id)
	if err != nil {
		return nil, err
	}
	ca, err := cert.EncodeCertificates(a.Cert)
	if err != nil {
		return nil, err
	}
	const name = "tagline"
	return clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{id.User: {ClientCertificateData: crt, ClientKeyData: key}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: id.User}},
		CurrentContext: name,
	})
}
