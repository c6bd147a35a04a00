package sign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Token returns a fresh OIDC token at each call: tokens are valid for minutes,
// and a release may build for hours before it signs.
type Token func(context.Context) (string, error)

// audience is the audience of the tokens: https://docs.sigstore.dev/certificate_authority/oidc-in-fulcio/
const audience = "sigstore"

// ActionsToken returns the tokens of a job of GitHub Actions. address and secret are
// what the job has in ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN:
// https://docs.github.com/en/actions/reference/security/oidc
// Errors hold neither the secret nor a token.
func ActionsToken(address, secret string) Token {
	return func(ctx context.Context) (string, error) {
		token, err := askActions(ctx, address, secret)
		if err != nil {
			return "", &diag.Error{
				Kind:  diag.Broken,
				Doing: "asking GitHub Actions for a token of this workflow",
				Err:   hide(err, secret),
				Fix:   "give the job the permission id-token: write, then run it again to finish",
			}
		}
		return token, nil
	}
}

func askActions(ctx context.Context, address, secret string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || secret == "" {
		return "", errors.New("the address or the token to ask with is empty")
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	answer, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var token struct{ Value string }
	if answer.StatusCode != http.StatusOK { // the body is not shown: it may hold a secret
		return "", fmt.Errorf("it answered %s", answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&token); err != nil || token.Value == "" {
		return "", errors.New("its answer holds no token")
	}
	return token.Value, nil
}
