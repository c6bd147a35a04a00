package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// SecretName is the Secret in the namespace KeysOf that holds the keys with which a
// beamline's events are signed: an entry for each receiver, under its name.
const SecretName = "tagline-events"

// KeysOf returns the namespace that holds the keys of the beamline in another. It is one of
// their own, because who looks at a beamline reads all Secrets of its namespace: Helm's
// releases are among them, and Kubernetes' roles can't exempt one.
func KeysOf(namespace string) string { return namespace + "-keys" }

// shortestKey is how long a key must be, as base64: Standard Webhooks wants 24 bytes.
const shortestKey = 32

// keys returns the keys by receiver.
func keys(ctx context.Context, n *cluster.Namespace) (map[string][]byte, error) {
	namespace := KeysOf(n.Name)
	secret, err := n.Client.CoreV1().Secrets(namespace).Get(ctx, SecretName, metav1.GetOptions{})
	// Who has no right there is told so even where no such namespace is.
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		if _, err := n.Client.CoreV1().Secrets(n.Name).Get(ctx, SecretName, metav1.GetOptions{}); err == nil {
			return nil, fmt.Errorf("whoever looks at namespace %[1]s can read its Secret %[2]s; make a new key for each "+
				"receiver in namespace %[3]s, and delete the Secret of namespace %[1]s", n.Name, SecretName, namespace)
		}
	}
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("namespace %s has no Secret %s; give it a key for each receiver", namespace, SecretName)
	}
	if err != nil {
		return nil, cluster.Broken("reading Secret "+SecretName+" of namespace "+namespace, err)
	}
	return secret.Data, nil
}

// again is when a receiver is told once more: after 0.3 and 1.2 seconds.
var again = wait.Backoff{Duration: 300 * time.Millisecond, Factor: 4, Steps: 3}

// patience is how long a receiver may take for one answer.
const patience = 3 * time.Second

// client follows no answer to elsewhere: a message is for the receiver that the policy
// names.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a receiver all messages, in their order, signed with its key. The error
// names the receiver's host, and neither its address nor anything that it said.
func send(ctx context.Context, to policy.Receiver, key string, all []message) error {
	key = strings.TrimSpace(key)
	if len(strings.TrimPrefix(key, "whsec_")) < shortestKey {
		return fmt.Errorf("entry %s of Secret %s is no key: write whsec_ and 24 bytes or more as base64",
			to.Name, SecretName)
	}
	signer, err := webhooks.NewWebhook(key)
	if err != nil {
		return fmt.Errorf("entry %s of Secret %s is no key: it is not base64", to.Name, SecretName)
	}
	for i, m := range all {
		if err := deliver(ctx, to, signer, m); err != nil {
			return fmt.Errorf("%s was not told of %d of %d events: %w", host(to.URL), len(all)-i, len(all), err)
		}
	}
	return nil
}

// host returns the host of an address that the policy's rules let through.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the receiver"
	}
	return u.Host
}

// deliver sends a message until the receiver has it, a few times at most.
func deliver(ctx context.Context, to policy.Receiver, signer *webhooks.Webhook, m message) error {
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, again, func(ctx context.Context) (bool, error) {
		var retry bool
		if retry, last = post(ctx, to, signer, m); last != nil && !retry {
			return false, last
		}
		return last == nil, nil
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// post sends a message once. retry is whether it may arrive another time.
func post(ctx context.Context, to policy.Receiver, signer *webhooks.Webhook, m message) (retry bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(m.body))
	if err != nil {
		return false, errors.New("its address can't be read")
	}
	now := time.Now()
	signature, err := signer.Sign(m.id, now, m.body)
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", event.ApplicationCloudEventsJSON+"; charset=utf-8")
	req.Header.Set("User-Agent", "tagline")
	req.Header.Set(webhooks.HeaderWebhookID, m.id)
	req.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(webhooks.HeaderWebhookSignature, signature)
	answer, err := client.Do(req)
	if err != nil {
		var sent *url.Error // which has the whole address
		if errors.As(err, &sent) {
			err = sent.Err
		}
		return true, err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code >= 300 && code < 400:
		return false, fmt.Errorf("it answers %d, which leads elsewhere: name the address where it is", code)
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return true, fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	default:
		return false, fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	}
}
